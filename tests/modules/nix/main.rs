//! Evaluates the flake with real Nix, the real module system and real option types: see tests/modules/nix/.
//!
//! Nothing is built. Each test says in one line what it lacks, where it lacks something: Nix, `<nixpkgs/lib>` on the
//! search path, or the lists of NixOS's options beside the checkout. With all of nixpkgs, `nix flake check` does more.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed step is a failed test, also in what tests share"
)]

mod boot;
mod evaluator;
mod firewall;
mod image;
mod programs;
#[path = "../../requirement/mod.rs"]
mod requirement;
mod settings;
mod tree;
mod units;

use evaluator::{Nix, ROOT};
use serde_json::{Value, json};
use snapbox::{Data, assert_data_eq};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

fn snapshot(name: &str) -> Data {
    Data::read_from(&Path::new(ROOT).join("tests/modules/nix/snapshots").join(name), None)
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap() + "\n"
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

/// What is taken from nixpkgs, and where that was read.
fn surface() -> Value {
    let text = std::fs::read_to_string(Path::new(ROOT).join("tests/modules/nix/surface.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A k3s command line as flags with their values, `--a=b` and `--a b` alike.
fn flags(command: &str) -> BTreeSet<String> {
    command.split(" --").skip(1).map(|flag| format!("--{}", flag.replacen('=', " ", 1))).collect()
}

#[test]
fn every_host_is_what_the_posts_describe() {
    let Some(nix) = Nix::new("every_host_is_what_the_posts_describe") else { return };
    let hosts = nix.value("report.hosts");

    assert_data_eq!(pretty(&hosts), snapshot("hosts.json").raw());

    // The posts' nine flags, and those that protect the API server; the tokens come from their files.
    let server_only = [
        "--disable local-storage",
        "--disable servicelb",
        "--disable traefik",
        "--disable-cloud-controller",
        "--disable-kube-proxy",
        "--disable-network-policy",
        "--flannel-backend none",
        "--kube-apiserver-arg admission-control-config-file=pod-security.yaml",
        "--kube-apiserver-arg audit-log-maxbackup=4",
        "--kube-apiserver-arg audit-log-maxsize=20",
        "--kube-apiserver-arg audit-log-path=/var/lib/rancher/k3s/server/logs/audit.log",
        "--kube-apiserver-arg audit-policy-file=audit-policy.yaml",
        "--kube-apiserver-arg enable-admission-plugins=NodeRestriction,DenyServiceExternalIPs",
        "--secrets-encryption",
        "--write-kubeconfig-mode 600",
    ];
    let token = |flag: &str, name: &str| format!("--{flag} /var/lib/rk1/secrets/{name}");
    let first = "https://172.16.10.221:6443";
    for (number, role, starts, joins) in [
        (1, "server", true, ""),
        (2, "server", false, first),
        (3, "server", false, first),
        (4, "agent", false, first),
    ] {
        let name = format!("rk1-0{number}");
        let host = &hosts[&name];
        let address = format!("172.16.10.22{number}");
        assert_eq!(host["hostName"], name);
        assert_eq!(strings(&host["network"]["address"]), [format!("{address}/24")]);
        assert_eq!(strings(&host["network"]["gateway"]), ["172.16.10.1"]);
        assert_eq!(host["k3s"]["role"], role);
        assert_eq!(host["k3s"]["clusterInit"], starts);
        assert_eq!(host["k3s"]["serverAddr"], joins);

        let given = flags(host["k3s"]["command"].as_str().unwrap());
        // An agent does not even name the file with the token of servers.
        let tokens: Vec<_> = given.iter().filter(|flag| flag.contains("token")).cloned().collect();
        let expected = match role {
            "server" => vec![token("agent-token-file", "k3s-agent-token"), token("token-file", "k3s-token")],
            _ => vec![token("token-file", "k3s-agent-token")],
        };
        assert_eq!(tokens, expected, "{name}");
        assert!(given.contains(&format!("--node-ip {address}")), "{name}: {given:?}");
        for flag in server_only {
            assert_eq!(given.contains(flag), role == "server", "{name}: {flag} in {given:?}");
        }
        if role == "agent" {
            let names: Vec<&str> = given.iter().filter_map(|flag| flag.split(' ').next()).collect();
            assert_eq!(names, ["--kubelet-arg", "--node-ip", "--node-name", "--server", "--token-file"]);
        }

        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let on_servers: fn(&[&'static str]) -> Vec<&'static str> =
            if role == "server" { <[_]>::to_vec } else { |_| Vec::new() };
        let manifests = on_servers(&[
            "00-gateway-api-crds.yaml",
            "10-cilium.yaml",
            "20-cert-manager.yaml",
            "30-bgp.yaml",
            "35-network-policies.yaml",
            "40-issuer.yaml",
            "50-gateway.yaml",
            "60-hubble.yaml",
        ]);
        let (charts, secrets) = (
            on_servers(&["cert-manager-1.21.1", "cilium-1.20.0"]),
            on_servers(&["kubernetes-secret-azure-dns-secret"]),
        );
        assert_eq!(keys(&host["k3s"]["manifests"]), manifests, "{name}");
        assert_eq!(keys(&host["k3s"]["charts"]), charts, "{name}");
        assert_eq!(keys(&host["kubernetesSecrets"]), secrets, "{name}");

        let mounts = host["mounts"].as_object().unwrap();
        let sources: Vec<(&str, &str)> =
            mounts.iter().map(|(path, mount)| (path.as_str(), mount["device"].as_str().unwrap())).collect();
        let ("/", root) = sources[0] else { panic!("{name}: {sources:?}") };
        // The name that only the eMMC gets: tests/modules/nix/image.rs has the rule of it.
        assert_eq!(root, "/dev/rk1/root", "{name}");
        assert_eq!(
            sources[1..],
            [
                ("/mnt/data", "/run/rk1/storage"),
                ("/run/k3s", "/mnt/data/k3s"),
                ("/var/lib/kubelet", "/mnt/data/k3s-kubelet"),
                ("/var/lib/rancher", "/mnt/data/k3s-rancher"),
                ("/var/log/pods", "/mnt/data/k3s-pod-logs"),
            ]
        );
        assert_eq!(
            strings(&host["k3s"]["unit"]["unitConfig"]["RequiresMountsFor"]),
            ["/run/k3s", "/var/lib/kubelet", "/var/lib/rancher", "/var/log/pods"]
        );

        assert!(!strings(&host["kernelParams"]).iter().any(|parameter| parameter.starts_with("root=")));
        for way in ["PasswordAuthentication", "KbdInteractiveAuthentication"] {
            assert_eq!(host["ssh"][way], false, "{name}: {way}");
        }
        assert_eq!(host["root"]["hashedPassword"], "*");
    }
}

/// The address lies on a tagged VLAN, and the wired interface below it has none; a lease replaces address and gateway.
#[test]
fn the_interface_is_the_one_that_is_described() {
    let Some(nix) = Nix::new("the_interface_is_the_one_that_is_described") else { return };
    assert_data_eq!(pretty(&nix.value("report.interfaces")), snapshot("interfaces.json").raw());
}

/// A host with further disks, one whose data disk is an existing filesystem, and one without a data disk.
#[test]
fn the_disks_are_those_that_are_described() {
    let Some(nix) = Nix::new("the_disks_are_those_that_are_described") else { return };
    assert_data_eq!(pretty(&nix.value("report.storage")), snapshot("storage.json").raw());
}

/// Each host of each example evaluates, and has the manifests and the Secrets of its cluster.
#[test]
fn the_examples_evaluate() {
    let Some(nix) = Nix::new("the_examples_evaluate") else { return };
    let examples = nix.value("report.exampleHosts");
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let servers = |name: &str| {
        let hosts = examples[name].as_object().unwrap().values();
        hosts.clone().filter(|host| host["k3s"]["role"] == "server").count()
    };
    let counts = ["mixed-modules", "own-authority", "single-node", "two-boards", "unifi"]
        .map(|name| (name, keys(&examples[name]).len(), servers(name)));
    // The machines that join by themselves are no hosts.
    let expected = [
        ("mixed-modules", 4, 1),
        ("own-authority", 4, 3),
        ("single-node", 1, 1),
        ("two-boards", 8, 3),
        ("unifi", 3, 3),
    ];
    assert_eq!(counts, expected);

    let solo = &examples["single-node"]["rk1"];
    let manifests = [
        "00-gateway-api-crds.yaml",
        "10-cilium.yaml",
        "20-cert-manager.yaml",
        "30-pools.yaml",
        "35-network-policies.yaml",
        "40-issuer.yaml",
        "50-gateway.yaml",
    ];
    assert_eq!(keys(&solo["k3s"]["manifests"]), manifests);
    // Both keys of one Secret.
    let secrets = &examples["own-authority"]["bench-1"]["kubernetesSecrets"];
    let units = [
        "kubernetes-secret-certificate-authority.tls.crt",
        "kubernetes-secret-certificate-authority.tls.key",
    ];
    assert_eq!(keys(secrets), units);
    for (unit, key) in units.into_iter().zip(["tls.crt", "tls.key"]) {
        assert_eq!(
            (&secrets[unit]["NAME"], &secrets[unit]["KEY"]),
            (&json!("certificate-authority"), &json!(key))
        );
    }
}

/// What a node of the dual-stack example has besides, read back from what NixOS would make of it.
#[test]
fn a_dual_stack_host_has_both_families() {
    let Some(nix) = Nix::new("a_dual_stack_host_has_both_families") else { return };
    let hosts = nix.value("report.dualStackHosts");
    assert_data_eq!(pretty(&hosts["rk1-01"]), snapshot("dual-stack-server.json").raw());
    assert_data_eq!(pretty(&hosts["rk1-04"]), snapshot("dual-stack-agent.json").raw());

    for number in 1..=4 {
        let host = &hosts[format!("rk1-0{number}")];
        let (ipv4, ipv6) = (format!("172.16.10.22{number}"), format!("fd00:172:16:10::22{number}"));
        let network = &host["network"];
        assert_eq!(strings(&network["address"]), [format!("{ipv4}/24"), format!("{ipv6}/64")]);
        assert_eq!(strings(&network["gateway"]), ["172.16.10.1", "fd00:172:16:10::1"]);
        // No second address by which the routers would not know the node.
        assert_eq!(network["networkConfig"]["IPv6AcceptRA"], false);
        assert_eq!(host["sysctl"]["net.ipv6.conf.all.forwarding"], 1);
        let names = [format!("rk1-0{number}.virtualthoughts.co.uk"), format!("rk1-0{number}")];
        assert_eq!(strings(&host["hosts"][&ipv6]), names);

        let given = flags(host["k3s"]["command"].as_str().unwrap());
        assert!(given.contains(&format!("--node-ip {ipv4},{ipv6}")), "{given:?}");
        let ranges = [
            "--cluster-cidr 10.42.0.0/16,fd00:10:42::/56",
            "--service-cidr 10.43.0.0/16,fd00:10:43::/112",
            "--tls-san fd00:172:16:10::221",
        ];
        for flag in ranges {
            assert_eq!(given.contains(flag), number < 4, "{flag} in {given:?}");
        }
    }
}

#[test]
fn every_output_of_the_flake_evaluates() {
    let Some(nix) = Nix::new("every_output_of_the_flake_evaluates") else { return };
    assert_data_eq!(pretty(&nix.value("report.outputs")), snapshot("outputs.json").raw());
}

#[test]
fn a_broken_host_is_refused() {
    let Some(nix) = Nix::new("a_broken_host_is_refused") else { return };
    let mut told = String::new();
    for name in [
        "failed-assertion",
        "grafana-elsewhere",
        "grafana-unused",
        "interface-name",
        "ipv6-incomplete",
        "ipv6-off",
        "storage-paths",
        "joins-itself",
        "misnamed",
        "nested-option",
        "out-of-range",
        "secret-in-store",
        "short-addresses",
        "stream-too-long",
        "streamer-incomplete",
        "unknown-option",
        "unknown-package",
        "wrong-type",
    ] {
        told.extend([name, "\n", &nix.broken(name), "\n"]);
    }
    assert_data_eq!(told, snapshot("broken.txt").raw());
}

#[test]
fn what_nixpkgs_does_not_take_is_refused() {
    let Some(nix) = Nix::new("what_nixpkgs_does_not_take_is_refused") else { return };
    let told: Vec<String> = [
        "harness.packages.nixfmt-classic",
        "(harness.packages.mkShell { pakages = [ ]; }).drvPath",
        "(harness.packages.rustPlatform.buildRustPackage { pname = \"x\"; cargoSha256 = \"\"; }).drvPath",
        "harness.packages.callPackage ({ zfs }: zfs) { }",
    ]
    .into_iter()
    .map(|expression| nix.refusal(expression))
    .collect();
    assert_data_eq!(told.concat(), snapshot("refused.txt").raw());
}

#[test]
fn what_the_lists_say_of_types_is_read() {
    let Some(nix) = Nix::new("what_the_lists_say_of_types_is_read") else { return };
    // `unread` options accept anything; `mangled` ones have names that the manual does not print whole.
    assert_data_eq!(pretty(&nix.value("report.counts")), snapshot("counts.json").raw());
}

#[test]
fn our_types_take_and_refuse() {
    let Some(nix) = Nix::new("our_types_take_and_refuse") else { return };
    let value = nix.value(&format!("import {ROOT}/tests/modules/nix/type-values.nix"));
    assert_data_eq!(pretty(&value), snapshot("type-values.json").raw());
}

#[test]
fn every_option_is_described_and_the_table_is_fresh() {
    let Some(nix) = Nix::new("every_option_is_described_and_the_table_is_fresh") else { return };
    let options = nix.value("report.options");
    let options = options.as_array().unwrap();
    assert!(options.len() > 30, "only {} options", options.len());
    let mut table = "| option | type | default | what it is |\n|---|---|---|---|\n".to_owned();
    for option in options {
        for key in ["type", "description", "example"] {
            let text = option[key].as_str().unwrap_or_default();
            assert!(!text.trim().is_empty() && text != "unspecified value", "{}: no {key}", option["name"]);
        }
        let cell = |key: &str| {
            let text = option[key].as_str().unwrap_or_default();
            text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
        };
        let default = cell("default");
        let default =
            if default.is_empty() { String::new() } else { format!("`{}`", default.replace('`', "")) };
        writeln!(table, "| `{}` | {} | {default} | {} |", cell("name"), cell("type"), cell("description"))
            .unwrap();
    }

    let path = Path::new(ROOT).join("docs/modules.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once("<!-- options -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- end of options -->\n").unwrap();
    let fresh = format!("{before}<!-- options -->\n{table}<!-- end of options -->\n{after}");
    assert_data_eq!(fresh, Data::read_from(&path, None).raw());
}

#[test]
fn what_nixpkgs_is_asked_for_has_its_source() {
    let surface = surface();
    for kind in ["packages", "functions", "files"] {
        for (name, facts) in surface[kind].as_object().unwrap() {
            assert!(facts["file"].as_str().is_some_and(|file| !file.is_empty()), "{name}: no file");
            let revision = facts["revision"].as_str().unwrap_or_default();
            assert!(
                revision.len() == 40 && revision.bytes().all(|b| b.is_ascii_hexdigit()),
                "{name}: no revision"
            );
        }
    }
    // Nothing is listed that nothing takes.
    let mut files = Vec::new();
    collect(Path::new(ROOT), "nix", &mut files);
    let text: String = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    for name in surface["packages"].as_object().unwrap().keys() {
        assert!(text.contains(name.as_str()), "{name} is listed, but not used");
    }
    for option in surface["options"].as_array().unwrap() {
        for key in ["name", "type", "file", "revision"] {
            assert!(option[key].is_string(), "{option}: no {key}");
        }
    }
}

#[test]
fn the_template_makes_a_cluster_of_rendered_hosts() {
    let Some(nix) = Nix::new("the_template_makes_a_cluster_of_rendered_hosts") else { return };
    let cluster = tempfile::tempdir().unwrap();
    std::fs::copy(Path::new(ROOT).join("templates/cluster/flake.nix"), cluster.path().join("flake.nix"))
        .unwrap();
    std::fs::create_dir(cluster.path().join("hosts")).unwrap();
    for file in std::fs::read_dir(Path::new(ROOT).join("hosts")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), cluster.path().join("hosts").join(file.file_name())).unwrap();
    }

    let value = nix.value(&format!(
        "let self = (import {}/flake.nix).outputs {{ inherit self; rk1 = harness.outputs; }}; in
         builtins.mapAttrs (_: builtins.mapAttrs (_: output: builtins.seq output.drvPath output.name)) self.packages",
        cluster.path().display()
    ));
    assert_data_eq!(pretty(&value), snapshot("template.json").raw());
}

/// Whoever did not see the warning of `rk1 render` sees it when the image is built.
#[test]
fn a_chart_without_hash_is_warned_of() {
    let Some(nix) = Nix::new("a_chart_without_hash_is_warned_of") else { return };
    let cluster = tempfile::tempdir().unwrap();
    for folder in ["hosts", "manifests"] {
        std::fs::create_dir(cluster.path().join(folder)).unwrap();
        for file in std::fs::read_dir(Path::new(ROOT).join(folder)).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), cluster.path().join(folder).join(file.file_name())).unwrap();
        }
    }
    let charts = "{ \"cert-manager-1.21.2\" = null; \"cilium-1.20.0\" = { url = \"x\"; hash = \"\"; }; }";
    std::fs::write(cluster.path().join("manifests/charts.nix"), charts).unwrap();

    let hosts = nix.value(&format!(
        "builtins.mapAttrs (_: host: {{
           inherit (host.config) warnings;
           charts = builtins.attrNames host.config.services.k3s.charts;
         }}) (harness.outputs.lib.mkCluster {}/hosts)",
        cluster.path().display()
    ));
    let warning = "pins.json has no hash of the chart cert-manager-1.21.2: the cluster will download it without a check.\n\
                   Run `rk1 pin`, which looks the hash up, and then `rk1 render`.\n";
    assert_eq!(hosts["rk1-01"], serde_json::json!({ "warnings": [warning], "charts": ["cilium-1.20.0"] }));
    assert_eq!(hosts["rk1-04"], serde_json::json!({ "warnings": [], "charts": [] }));
}

#[test]
fn the_lock_is_of_the_flakes_inputs() {
    let Some(nix) = Nix::new("the_lock_is_of_the_flakes_inputs") else { return };
    let inputs = nix.value("(import harness.flake).inputs");
    let lock: Value =
        serde_json::from_str(&std::fs::read_to_string(Path::new(ROOT).join("flake.lock")).unwrap()).unwrap();
    assert_eq!(lock["version"], 7);
    for (name, input) in inputs.as_object().unwrap() {
        let node = &lock["nodes"][lock["nodes"]["root"]["inputs"][name].as_str().unwrap()];
        let original = &node["original"];
        let url = format!(
            "{}:{}/{}/{}",
            original["type"].as_str().unwrap(),
            original["owner"].as_str().unwrap(),
            original["repo"].as_str().unwrap(),
            original["ref"].as_str().unwrap()
        );
        assert_eq!(input["url"], url);
    }
    assert_eq!(lock["nodes"].as_object().unwrap().len(), inputs.as_object().unwrap().len() + 1);

    let pins = std::fs::read_to_string(nix.data.join("pins.json")).unwrap();
    let pinned = &serde_json::from_str::<Value>(&pins).unwrap()["nixpkgs"];
    for key in ["rev", "narHash", "lastModified"] {
        assert_eq!(lock["nodes"]["nixpkgs"]["locked"][key], pinned[key], "{key}");
    }
}

#[test]
fn every_nix_file_parses() {
    let Some(_) = Nix::new("every_nix_file_parses") else { return };
    let mut files = Vec::new();
    collect(Path::new(ROOT), "nix", &mut files);
    assert!(files.len() > 30, "only {} files", files.len());
    let output = Command::new("nix-instantiate").arg("--parse").args(&files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// `SNAPSHOTS=overwrite` lays them out.
#[test]
fn every_nix_file_is_laid_out_as_nixfmt_does() {
    let mut files = Vec::new();
    collect(Path::new(ROOT), "nix", &mut files);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let laid_out = nixfmt_rs::format(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert_data_eq!(laid_out, Data::read_from(&file, None).raw());
    }
}

/// The repository's files with the extension: not those of build directories and hidden ones.
fn collect(directory: &Path, extension: &str, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        if path.is_dir() && !name.starts_with('.') && name != "target" && !path.is_symlink() {
            collect(&path, extension, files);
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
}
