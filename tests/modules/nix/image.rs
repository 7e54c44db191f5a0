//! Runs the script that assembles a host's image, with the values that the flake gives it, over a loader and a root
//! filesystem of the test's own. What nixpkgs makes of the two is not tested here.

use crate::evaluator::{Nix, ROOT};
use crate::requirement;
use rk1::provision::image::{Identity, layout};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};

const MIB: usize = 1 << 20;

/// The image's variables, as the derivation has them.
fn variables(nix: &Nix) -> Vec<(String, String)> {
    let value = nix.value(
        "let image = harness.outputs.packages.aarch64-linux.rk1-01; in
         builtins.mapAttrs (_: toString) (harness.lib.filterAttrs (name: _: builtins.match \"[A-Z_]+\" name != null) image)",
    );
    value
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned()))
        .collect()
}

fn assemble(nix: &Nix, directory: &Path, loader: &[u8], root: &Path) -> Output {
    let loader_file = directory.join("u-boot-rockchip.bin");
    std::fs::write(&loader_file, loader).unwrap();
    Command::new("bash")
        .args(["-o", "errexit", "-o", "nounset", "-o", "pipefail"])
        .arg(Path::new(ROOT).join("images/assemble.sh"))
        .current_dir(directory)
        .envs(variables(nix))
        .env("LOADER", loader_file)
        .env("ROOT", root)
        .env("out", directory.join("out"))
        .env("NIX_BUILD_CORES", "1")
        .output()
        .unwrap()
}

#[track_caller]
fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn lacks_tools(test: &str) -> bool {
    let missing = ["sfdisk", "mkfs.vfat", "mkfs.ext4", "blkid", "xz"]
        .into_iter()
        .find(|tool| Command::new(tool).arg("--version").output().is_err());
    if let Some(tool) = missing {
        requirement::skipped(
            test,
            &format!("{tool} is not installed (Debian: fdisk, dosfstools, e2fsprogs, xz-utils)"),
        );
    }
    missing.is_some()
}

#[test]
fn an_image_has_everything_in_its_place() {
    let test = "an_image_has_everything_in_its_place";
    let Some(nix) = Nix::new(test) else { return };
    if lacks_tools(test) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    // A loader of 9 MiB, as U-Boot's is, that can be told from anything else.
    let loader: Vec<u8> = (0..9 * MIB).map(|place| u8::try_from(place % 251).unwrap()).collect();
    let root = directory.path().join("root.img");
    std::fs::File::create(&root).unwrap().set_len(20 * MIB as u64).unwrap();
    run("mkfs.ext4", &["-q", "-U", "11111111-2222-3333-4444-555555555555", root.to_str().unwrap()]);

    let output = assemble(&nix, directory.path(), &loader, &root);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let packed = directory.path().join("out/rk1-01.img.xz");
    let sums = std::fs::read_to_string(directory.path().join("out/rk1-01.img.xz.sha256")).unwrap();
    assert_eq!(
        sums.as_bytes(),
        run(
            "bash",
            &["-c", &format!("cd {} && sha256sum rk1-01.img.xz", directory.path().join("out").display())]
        )
    );
    run("xz", &["--decompress", "--keep", "--memlimit-decompress=16MiB", packed.to_str().unwrap()]);
    let image = directory.path().join("out/rk1-01.img");
    let bytes = std::fs::read(&image).unwrap();

    let mut table: Value =
        serde_json::from_slice(&run("sfdisk", &["--json", image.to_str().unwrap()])).unwrap();
    let table = table["partitiontable"].as_object_mut().unwrap();
    table.remove("device");
    for partition in table["partitions"].as_array_mut().unwrap() {
        partition.as_object_mut().unwrap().remove("node");
    }
    let identity = nix.value(
        "let host = harness.outputs.nixosConfigurations.rk1-01; in
         import ../../images/identity.nix { inherit (harness) lib; inherit (host) config; }"
            .replace("../..", ROOT)
            .as_str(),
    );
    let disk = identity["diskId"].as_str().unwrap();
    assert_eq!(
        Value::Object(table.clone()),
        json!({
            "label": "dos",
            "id": format!("0x{disk}"),
            "unit": "sectors",
            "sectorsize": 512,
            "partitions": [
                { "start": 32768, "size": 32768, "type": "e" },
                { "start": 65536, "size": 40960, "type": "83", "bootable": true },
            ],
        })
    );

    assert!(bytes[64 * 512..][..loader.len()] == loader, "the loader is not in sector 64");
    assert!(bytes[32 * MIB..] == std::fs::read(&root).unwrap(), "the root filesystem is not at 32 MiB");

    let seed = run(
        "blkid",
        &[
            "--probe",
            "--offset",
            "16777216",
            "--size",
            "16777216",
            "--output",
            "export",
            image.to_str().unwrap(),
        ],
    );
    let seed = String::from_utf8(seed).unwrap();
    let id = identity["seedId"].as_str().unwrap().to_uppercase();
    for line in
        ["LABEL=RK1-SEED".to_owned(), "TYPE=vfat".to_owned(), format!("UUID={}-{}", &id[..4], &id[4..])]
    {
        assert!(seed.lines().any(|found| found == line), "no {line} in\n{seed}");
    }
}

/// What reads and writes images in Rust goes by the numbers and names that Nix builds them with.
#[test]
fn every_place_and_name_is_the_same_in_nix_and_in_rust() {
    let Some(nix) = Nix::new("every_place_and_name_is_the_same_in_nix_and_in_rust") else { return };
    let layout = json!({
        "sectorSize": layout::SECTOR_SIZE,
        "loaderOffset": layout::LOADER_OFFSET,
        "blockSize": layout::BLOCK_SIZE,
        "seedOffset": layout::SEED_OFFSET,
        "seedSize": layout::SEED_SIZE,
        "rootOffset": layout::ROOT_OFFSET,
        "loaderLimit": layout::LOADER_LIMIT,
        "rootPartition": layout::ROOT_PARTITION,
            "seedPartition": layout::SEED_PARTITION,
        "rootPartition": layout::ROOT_PARTITION,
        "seedLabel": layout::SEED_LABEL,
    });
    assert_eq!(nix.value(&format!("import {ROOT}/images/layout.nix")), layout);

    let text = std::fs::read_to_string(Path::new(ROOT).join("cluster.toml")).unwrap();
    let source = rk1::config::source::Source { name: "cluster.toml".to_owned(), text };
    let cluster =
        rk1::config::cluster::Cluster::parse(&source, &mut rk1::config::diagnostics::Problems::default())
            .unwrap();
    // From the image's own derivation: what the build is given.
    let images = nix.value(
        "builtins.mapAttrs (_: image: builtins.mapAttrs (_: toString)
          (harness.lib.filterAttrs (name: _: builtins.match \"[A-Z_]+\" name != null) image))
          harness.outputs.packages.aarch64-linux",
    );
    let roots = nix.value(
        "builtins.mapAttrs (_: host: { device = host.config.fileSystems.\"/\".device;
           initrd = host.config.boot.initrd.services.udev.rules; system = host.config.services.udev.extraRules;
           seed = host.config.rk1.secrets.seedDevice; }) harness.outputs.nixosConfigurations",
    );
    assert_eq!(cluster.nodes.len(), 4);
    for node in &cluster.nodes {
        let (name, identity) = (node.name.as_str(), Identity::of(&cluster.name, &node.name));
        let image = &images[name];
        for (variable, number) in [
            ("SECTOR_SIZE", layout::SECTOR_SIZE),
            ("BLOCK_SIZE", layout::BLOCK_SIZE),
            ("LOADER_OFFSET", layout::LOADER_OFFSET),
            ("LOADER_LIMIT", layout::LOADER_LIMIT),
            ("SEED_OFFSET", layout::SEED_OFFSET),
            ("SEED_SIZE", layout::SEED_SIZE),
            ("ROOT_OFFSET", layout::ROOT_OFFSET),
        ] {
            assert_eq!(image[variable], number.to_string(), "{name}: {variable}");
        }
        let disk = format!("{:08x}", identity.disk_id);
        assert_eq!(image["IMAGE_NAME"], name);
        assert_eq!(image["DISK_ID"], disk, "{name}");
        assert_eq!(image["SEED_ID"], format!("{:08x}", identity.seed_id), "{name}");
        assert_eq!(image["SEED_LABEL"], layout::SEED_LABEL, "{name}");
        assert_eq!(roots[name]["device"], "/dev/rk1/root", "{name}");
        assert_eq!(roots[name]["seed"], "/dev/rk1/seed", "{name}");
        for (link, number) in [("seed", layout::SEED_PARTITION), ("root", layout::ROOT_PARTITION)] {
            let rule = format!("ENV{{ID_PART_ENTRY_UUID}}==\"{disk}-{number:02x}\", SYMLINK+=\"rk1/{link}\"");
            for stage in ["initrd", "system"] {
                let rules = roots[name][stage].as_str().unwrap();
                let found: Vec<_> = rules.lines().filter(|line| line.contains(&rule)).collect();
                let [line] = found[..] else { panic!("{name}, {stage}: {rules}") };
                assert!(
                    line.contains("SUBSYSTEMS==\"mmc\"") && line.contains("KERNEL==\"mmcblk*\""),
                    "{line}"
                );
            }
        }
        let label = nix.value(&format!(
            "(import {ROOT}/images/identity.nix {{ inherit (harness) lib;
               inherit (harness.outputs.nixosConfigurations.{name}) config; }}).rootLabel"
        ));
        assert_eq!(label, identity.root_label, "{name}");
    }
}

/// Secrets that come another way: the units that bring them run before those that read them.
#[test]
fn a_host_may_get_its_secrets_another_way() {
    let Some(nix) = Nix::new("a_host_may_get_its_secrets_another_way") else { return };
    let value = nix.value(&format!(
        "let config = (harness.outputs.lib.mkCluster {ROOT}/tests/modules/nix/secrets-elsewhere-hosts.nix).rk1-01.config; in builtins.seq config.system.build.toplevel.drvPath {{
           takesSeed = config.systemd.services ? node-secrets;
           token = config.services.k3s.tokenFile;
           inherit (config.rk1.secrets) readers;
           seeded = harness.outputs.nixosConfigurations.rk1-01.config.systemd.services.node-secrets.before;
         }}"
    ));
    let readers = [
        "k3s-server-ca.service",
        "xdp-streamer.service",
        "kubernetes-secret-azure-dns-secret.service",
        "k3s.service",
    ];
    assert_eq!(value["takesSeed"], false);
    assert_eq!(value["token"], "/run/secrets/k3s-token");
    assert_eq!(value["readers"], json!(readers));
    let before: Vec<_> = value["seeded"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for unit in ["sops-install-secrets.service", "agenix-install-secrets.service", "sshd-keygen.service"] {
        assert!(before.contains(&unit), "{unit} is not in {before:?}");
    }
}

#[test]
fn a_loader_that_would_reach_into_the_seed_is_refused() {
    let test = "a_loader_that_would_reach_into_the_seed_is_refused";
    let Some(nix) = Nix::new(test) else { return };
    if lacks_tools(test) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let output = assemble(&nix, directory.path(), &vec![1; 16 * MIB], &directory.path().join("root.img"));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "the boot loader does not fit before the first partition: raise seedOffset in images/layout.nix\n"
    );
}
