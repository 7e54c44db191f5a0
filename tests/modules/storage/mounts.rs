//! From the disk to k3s: the units that systemd generates from a host's mounts, their propagation, and a filesystem that
//! grows.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::contents::ours_on;
use crate::disk::{Disk, MIB, ROOMY};
use crate::requirement::skipped;
use crate::script::prepare;
use crate::tool::{can_run, output, shell};

const FSTAB_GENERATOR: &str = "/lib/systemd/system-generators/systemd-fstab-generator";
const GROWFS: &str = "/lib/systemd/systemd-growfs";
/// The values of the first host, which tests/modules/nix compares with an evaluation.
const HOSTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/modules/nix/snapshots/hosts.json");

/// The host's mounts but for its root, as NixOS writes /etc/fstab (nixos/modules/tasks/filesystems.nix).
fn fstab() -> String {
    let hosts: serde_json::Value = serde_json::from_str(&fs::read_to_string(HOSTS).unwrap()).unwrap();
    let strings = |value: &serde_json::Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
    };
    let mut fstab = String::new();
    for (path, mount) in
        hosts["rk1-01"]["mounts"].as_object().unwrap().iter().filter(|(path, _)| *path != "/")
    {
        let depends = strings(&mount["depends"]).into_iter();
        let depends = depends.map(|depends| format!("x-systemd.requires-mounts-for={depends}"));
        let options: Vec<_> = strings(&mount["options"]).into_iter().chain(depends).collect();
        let (device, kind) = (mount["device"].as_str().unwrap(), mount["fsType"].as_str().unwrap());
        writeln!(fstab, "{device} {path} {kind} {} 0 0", options.join(",")).unwrap();
    }
    fstab
}

/// Writes the units that systemd makes of the host's mounts.
pub fn generate_units(units: &Path) {
    let table = tempfile::NamedTempFile::new().unwrap();
    fs::write(table.path(), fstab()).unwrap();
    let mut generator = Command::new(FSTAB_GENERATOR);
    let generated =
        generator.env("SYSTEMD_FSTAB", table.path()).args([units, units, units]).status().unwrap();
    assert!(generated.success());
}

/// The `[Unit]` lines that order and bind a unit.
fn dependencies(unit: &Path) -> Vec<String> {
    let text = fs::read_to_string(unit).unwrap();
    let kept = |line: &&str| {
        ["After=", "Before=", "Requires=", "RequiresMountsFor=", "BindsTo="]
            .iter()
            .any(|key| line.starts_with(key))
    };
    let mut lines: Vec<_> = text.lines().filter(kept).map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn mounts_wait_for_the_disk_and_the_boot_does_not_fail_with_them() {
    if !Path::new(FSTAB_GENERATOR).exists() {
        return skipped("storage: mounts", "systemd-fstab-generator is not installed");
    }
    let directory = TempDir::new().unwrap();
    let units = directory.path().to_owned();
    generate_units(&units);

    assert_eq!(
        dependencies(&units.join("mnt-data.mount")),
        ["After=rk1-storage.service", "Before=local-fs.target", "Requires=rk1-storage.service"]
    );
    let binds = ["run-k3s.mount", "var-lib-kubelet.mount", "var-lib-rancher.mount", "var-log-pods.mount"];
    for bind in binds {
        assert_eq!(
            dependencies(&units.join(bind)),
            [
                "After=rk1-storage-directories.service",
                "Before=local-fs.target",
                "Requires=rk1-storage-directories.service",
                "RequiresMountsFor=/mnt/data"
            ],
            "{bind}"
        );
    }
    // Wanted, not required: a failure does not send the machine into emergency mode.
    assert!(!units.join("local-fs.target.requires").exists());
    for mount in binds.into_iter().chain(["mnt-data.mount"]) {
        assert!(units.join("local-fs.target.wants").join(mount).is_symlink(), "{mount}");
    }
}

/// The mount options of a path of host rk1-01 that mount(8) itself understands.
fn options(path: &str) -> String {
    let hosts: serde_json::Value = serde_json::from_str(&fs::read_to_string(HOSTS).unwrap()).unwrap();
    let options = hosts["rk1-01"]["mounts"][path]["options"].as_array().unwrap();
    let options = options.iter().map(|option| option.as_str().unwrap());
    options.filter(|option| !option.starts_with("x-") && *option != "nofail").collect::<Vec<_>>().join(",")
}

/// With a shared data disk, the kernel would show each mount of a container a second time below /mnt/data.
#[test]
fn a_containers_mount_appears_once_and_reaches_its_pod() {
    let script = r#"
        set -o errexit
        mount --make-rshared /
        mount -t tmpfs tmpfs "$3"
        cd "$3"
        mkdir data kubelet pod
        mount -t tmpfs -o "$1" tmpfs data
        mkdir data/kubelet
        mount -o "$2" data/kubelet kubelet
        # What the container runtime does: the pod sees the kubelet's mounts of before and after.
        mount --rbind kubelet pod
        mkdir kubelet/volume
        mount -t tmpfs -o size=4k pod-volume kubelet/volume
        grep -c " $3/data/.*pod-volume" /proc/self/mountinfo || true
        grep -c " $3/kubelet/.*pod-volume" /proc/self/mountinfo
        grep -c " $3/pod/.*pod-volume" /proc/self/mountinfo
    "#;
    let place = TempDir::new().unwrap();
    let counts = |data: &str| {
        let output = Command::new("unshare")
            .args(["--mount", "--propagation=private", "bash", "-c", script, "bash"])
            .args([data, &options("/var/lib/kubelet")])
            .arg(place.path())
            .output();
        match output {
            Ok(output) if output.status.success() => Ok(String::from_utf8(output.stdout).unwrap()),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Err(error.to_string()),
        }
    };
    match counts(&options("/mnt/data")) {
        Ok(found) => assert_eq!(found, "0\n1\n1\n"),
        Err(error) => {
            return skipped("storage: propagation", &format!("nothing can be mounted here: {error}"));
        }
    }
    // The control: without `private`, the volume is there twice.
    assert_eq!(counts(&options("/mnt/data").replace("private", "shared")).unwrap(), "1\n1\n1\n");
}

/// Runs the check of the directories on a data disk that `prepare` has changed.
fn check_directories(prepare: fn(&Path)) -> (Option<i32>, String, TempDir) {
    let disk = TempDir::new().unwrap();
    prepare(disk.path());
    let output = Command::new("bash")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/modules/storage/directories.sh"))
        .env("MOUNT_POINT", disk.path())
        .env("DIRECTORIES", "k3s k3s-rancher")
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), told.replace(&disk.path().display().to_string(), "/mnt/data"), disk)
}

#[test]
fn only_a_directory_of_the_disk_is_bound() {
    for prepare in [(|_| {}) as fn(&Path), |disk| fs::create_dir(disk.join("k3s")).unwrap()] {
        let (code, told, disk) = check_directories(prepare);
        assert_eq!((code, told.as_str()), (Some(0), ""));
        assert!(disk.path().join("k3s").is_dir() && disk.path().join("k3s-rancher").is_dir());
    }
    let planted: [fn(&Path); 4] = [
        |disk| std::os::unix::fs::symlink("/etc", disk.join("k3s")).unwrap(),
        |disk| std::os::unix::fs::symlink("k3s-rancher", disk.join("k3s")).unwrap(),
        |disk| std::os::unix::fs::symlink("/nowhere", disk.join("k3s")).unwrap(),
        |disk| fs::write(disk.join("k3s"), "").unwrap(),
    ];
    for prepare in planted {
        let (code, told, disk) = check_directories(prepare);
        assert_eq!(code, Some(1));
        assert_eq!(
            told,
            "error: `/mnt/data/k3s` is not a directory; nothing is bound to it\n\
             hint: move it away with `mv /mnt/data/k3s /mnt/data/k3s.old`, then reboot\n"
        );
        assert!(!disk.path().join("k3s-rancher").exists());
    }
}

/// capabilities(7)
const CAP_SYS_RESOURCE: u32 = 24;

fn has_capability(capability: u32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
    u64::from_str_radix(effective.trim(), 16).unwrap() >> capability & 1 == 1
}

/// Blocks of 512 bytes that a filesystem fills.
fn filesystem_sectors(node: &Path) -> u64 {
    let header = output("dumpe2fs", ["-h".as_ref(), node.as_os_str()]);
    let field = |name: &str| -> u64 {
        header.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().parse().unwrap()
    };
    field("Block count:") * field("Block size:") / 512
}

#[test]
fn the_filesystem_grows_with_the_disk_once_mounted() {
    if !can_run("the_filesystem_grows_with_the_disk_once_mounted", &["blockdev"]) {
        return;
    }
    if !Path::new(GROWFS).exists() {
        return skipped("storage: growth", "systemd-growfs is not installed");
    }
    if !has_capability(CAP_SYS_RESOURCE) {
        return skipped("storage: growth", "the kernel grows a mounted ext4 only with CAP_SYS_RESOURCE");
    }
    let given = ours_on(ROOMY + 900 * MIB);
    let disk: &Disk = given.disk.as_ref().unwrap();
    let grow = || {
        let mut attached = disk.attach();
        let run = prepare(&attached.device, None);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let node = run.link.unwrap();
        let root = attached.mount(&node, "noatime");
        let before = filesystem_sectors(&node);
        shell("\"$1\" \"$2\"", &[GROWFS.as_ref(), root.as_os_str()]);
        for (path, bytes) in &given.files {
            assert!(fs::read(root.join(path)).unwrap() == *bytes, "`{path}` changed");
        }
        attached.unmount();
        let partition: u64 =
            output("blockdev", ["--getsz".as_ref(), node.as_os_str()]).trim().parse().unwrap();
        shell("e2fsck -n -f -- \"$1\"", &[node.as_os_str()]);
        (before, filesystem_sectors(&node), partition)
    };
    let (before, after, partition) = grow();
    assert!(before < ROOMY / 512 && after > (ROOMY + 890 * MIB) / 512, "{before} {after} {partition}");
    assert!(partition - after < 8, "{after} of {partition} sectors");
    assert_eq!(grow(), (after, after, partition), "the second time");
}
