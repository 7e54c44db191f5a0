//! `rk1 secrets`: which there are, where they go, and which are not ready.

#![allow(clippy::expect_used, reason = "what is not as it should be ends the run")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The cluster of the tests, with passwords for its sessions.
fn project() -> TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    let status = "[bgp.router.status]\nuser = \"rk1\"\npassword = \"router\"\n\n[gateway]\n";
    let cluster = include_str!("check/base.toml")
        .replace("[gateway]\n", status)
        .replace("[[bgp.router]]\n", "[[bgp.router]]\npassword = \"bgp-password\"\n")
        .replace("[secrets]\n", "[secrets]\nbgp-password = \"secrets/bgp\"\nrouter = \"secrets/router\"\n");
    fs::write(folder.path().join("cluster.toml"), cluster).expect("cluster.toml");
    fs::create_dir(folder.path().join("secrets")).expect("secrets");
    folder
}

fn put(folder: &TempDir, name: &str, text: &str, mode: u32) {
    let file = folder.path().join("secrets").join(name);
    fs::write(&file, text).expect("secret");
    fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("mode");
}

fn secrets(folder: &TempDir, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rk1"))
        .arg("secrets")
        .args(arguments)
        .current_dir(folder.path())
        .env("NO_COLOR", "1")
        .output()
        .expect("rk1 runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

const TABLE: &str = "\
SECRET         STATE    FILE                   ON          AT                                  FOR
azure-dns      EXPOSED  secrets/azure-dns      servers     /var/lib/rk1/secrets/azure-dns      Secret cert-manager/azure-dns-secret, key azure_client_secret
bgp-password   present  secrets/bgp            servers     /var/lib/rk1/secrets/bgp-password   Secret kube-system/bgp-mikrotik, key password
grafana-token  EMPTY    secrets/grafana-token  every node  /var/lib/rk1/secrets/grafana-token  streamer: token of Grafana
k3s-token      MISSING  secrets/k3s-token      every node  /var/lib/rk1/secrets/k3s-token      k3s: by this token nodes join
router         present  secrets/router         no node     -                                   `rk1 status`: password on mikrotik
";

#[test]
fn what_is_not_ready_is_said_and_no_secret_is_shown() {
    let folder = project();
    put(&folder, "azure-dns", "never-printed", 0o644);
    put(&folder, "bgp", "never-printed", 0o600);
    put(&folder, "router", "never-printed", 0o600);
    put(&folder, "grafana-token", "", 0o600);

    let output = secrets(&folder, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), TABLE);
    let expected = "azure-dns: keep it to yourself: `chmod 600 secrets/azure-dns`\n\
                    grafana-token: put the secret into `secrets/grafana-token`\n\
                    k3s-token: put the secret into `secrets/k3s-token`\n\
                    3 of 5 secrets are not ready\n";
    assert_eq!(text(&output.stderr), expected);
}

#[test]
fn all_present_is_success() {
    let folder = project();
    for name in ["azure-dns", "bgp", "grafana-token", "k3s-token", "router"] {
        put(&folder, name, "never-printed", 0o600);
    }
    let output = secrets(&folder, &["--json"]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), "5 secrets, all present\n"));
    let list: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let expected = json!({
        "name": "bgp-password",
        "state": "present",
        "file": "secrets/bgp",
        "uses": [{
            "what": "Secret kube-system/bgp-mikrotik, key password",
            "nodes": "servers",
            "path_on_node": "/var/lib/rk1/secrets/bgp-password",
        }],
    });
    assert_eq!(list[1], expected);
    assert!(!text(&output.stdout).contains("never-printed"));
}

#[test]
fn the_password_of_a_bmc_goes_to_no_node() {
    let folder = project();
    let path = folder.path().join("cluster.toml");
    let cluster = fs::read_to_string(&path).expect("cluster.toml");
    let cluster = cluster
        .replace("bmc = \"172.16.10.220\"\n", "bmc = \"172.16.10.220\"\npassword = \"bmc-password\"\n")
        .replace("[secrets]\n", "[secrets]\nbmc-password = \"secrets/bmc\"\n");
    fs::write(&path, cluster).expect("cluster.toml");
    for name in ["azure-dns", "bgp", "bmc", "grafana-token", "k3s-token", "router"] {
        put(&folder, name, "never-printed", 0o600);
    }
    let output = secrets(&folder, &[]);
    let line = "bmc-password   present  secrets/bmc            no node     -                                   \
                `rk1 flash`: password of `root` on the BMC of `turing-pi`\n";
    assert!(text(&output.stdout).contains(line), "{}", text(&output.stdout));
    assert_eq!(text(&output.stderr), "6 secrets, all present\n");
}

/// Such as by sops-nix: no file of it is asked for.
#[test]
fn a_secret_may_come_another_way() {
    let folder = project();
    let file = folder.path().join("cluster.toml");
    let cluster = fs::read_to_string(&file).expect("cluster.toml");
    fs::write(&file, cluster.replace("\"secrets/k3s-token\"", "\"\"")).expect("cluster.toml");
    for name in ["azure-dns", "bgp", "grafana-token", "router"] {
        put(&folder, name, "never-printed", 0o600);
    }
    let output = secrets(&folder, &[]);
    assert_eq!(
        (output.status.code(), text(&output.stderr)),
        (Some(0), "5 secrets, all present but 1 that the nodes get elsewhere\n")
    );
    let line = "k3s-token      elsewhere  -                      every node  \
                /var/lib/rk1/secrets/k3s-token      k3s: by this token nodes join";
    assert!(text(&output.stdout).lines().any(|each| each == line), "{}", text(&output.stdout));
}
