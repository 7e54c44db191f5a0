//! `rk1 secrets`: the list of secrets, and which are not ready.

#![allow(clippy::expect_used, reason = "a failed step is a failed test")]

#[path = "../requirement/mod.rs"]
mod requirement;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The cluster of the tests, with passwords for its sessions.
fn project() -> TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    let status = "[bgp.router.status]\nuser = \"rk1\"\npassword = \"router\"\n\n[gateway]\n";
    let cluster = include_str!("../config/check/base.toml")
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

/// The secrets that need no line in `[secrets]`.
const MADE: [&str; 7] =
    ["k3s-agent-token", "k3s-server-ca", "k3s-token", "rk1-01-ssh", "rk1-02-ssh", "rk1-03-ssh", "rk1-04-ssh"];

fn put_all(folder: &TempDir, text: &str) {
    for name in ["azure-dns", "bgp", "grafana-token", "router"].into_iter().chain(MADE) {
        put(folder, name, text, 0o600);
    }
}

/// The names of all secrets, in their order, with the names of their files.
fn files() -> impl Iterator<Item = (&'static str, &'static str)> {
    let own = [("azure-dns", "azure-dns"), ("bgp-password", "bgp"), ("grafana-token", "grafana-token")];
    own.into_iter().chain(MADE.into_iter().map(|name| (name, name))).chain([("router", "router")])
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
SECRET           STATE    FILE                     NODES       PATH ON NODE                          USE
azure-dns        EXPOSED  secrets/azure-dns        servers     /var/lib/rk1/secrets/azure-dns        Secret cert-manager/azure-dns-secret, key azure_client_secret
bgp-password     present  secrets/bgp              servers     /var/lib/rk1/secrets/bgp-password     Secret kube-system/bgp-mikrotik, key password
grafana-token    EMPTY    secrets/grafana-token    every node  /var/lib/rk1/secrets/grafana-token    streamer: token of Grafana
k3s-agent-token  MISSING  secrets/k3s-agent-token  every node  /var/lib/rk1/secrets/k3s-agent-token  k3s: token with which agents join
k3s-server-ca    MISSING  secrets/k3s-server-ca    rk1-01      /var/lib/rk1/secrets/k3s-server-ca    k3s: authority of the servers' certificates
k3s-token        MISSING  secrets/k3s-token        servers     /var/lib/rk1/secrets/k3s-token        k3s: token with which servers join
rk1-01-ssh       MISSING  secrets/rk1-01-ssh       rk1-01      /etc/ssh/ssh_host_ed25519_key         sshd: host key of the node
rk1-02-ssh       MISSING  secrets/rk1-02-ssh       rk1-02      /etc/ssh/ssh_host_ed25519_key         sshd: host key of the node
rk1-03-ssh       MISSING  secrets/rk1-03-ssh       rk1-03      /etc/ssh/ssh_host_ed25519_key         sshd: host key of the node
rk1-04-ssh       MISSING  secrets/rk1-04-ssh       rk1-04      /etc/ssh/ssh_host_ed25519_key         sshd: host key of the node
router           present  secrets/router           no node     -                                     `rk1 status`: password on mikrotik
";

#[test]
fn unready_secrets_are_listed_and_no_secret_is_shown() {
    let folder = project();
    put(&folder, "azure-dns", "never-printed", 0o644);
    put(&folder, "bgp", "never-printed", 0o600);
    put(&folder, "router", "never-printed", 0o600);
    put(&folder, "grafana-token", "", 0o600);

    let output = secrets(&folder, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), TABLE);
    let expected = "  hint: azure-dns: make it readable for you alone: `chmod 600 secrets/azure-dns`\n\
                    \x20 hint: grafana-token: write the secret to `secrets/grafana-token`\n\
                    \x20 hint: run `rk1 secrets --generate` to make k3s-agent-token, k3s-server-ca, k3s-token, rk1-01-ssh, \
                    rk1-02-ssh, rk1-03-ssh, rk1-04-ssh\n\
                    9 of 11 secrets are not ready\n";
    assert_eq!(text(&output.stderr), expected);
}

#[test]
fn present_secrets_are_ready() {
    let folder = project();
    put_all(&folder, "never-printed");
    let output = secrets(&folder, &["--json"]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), "all 11 secrets are ready\n"));
    let list: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let expected = json!({
        "name": "bgp-password",
        "state": "present",
        "file": "secrets/bgp",
        "can_be_made": true,
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
    put_all(&folder, "never-printed");
    put(&folder, "bmc", "never-printed", 0o600);
    let output = secrets(&folder, &[]);
    let line = "bmc-password     present  secrets/bmc              no node     -                                     \
                `rk1 flash`: password of `root` on the BMC of `turing-pi`\n";
    assert!(text(&output.stdout).contains(line), "{}", text(&output.stdout));
    assert_eq!(text(&output.stderr), "all 12 secrets are ready\n");
}

/// A secret that comes by sops-nix, for example, needs no file.
#[test]
fn a_secret_may_have_no_file() {
    let folder = project();
    let file = folder.path().join("cluster.toml");
    let cluster = fs::read_to_string(&file).expect("cluster.toml");
    fs::write(&file, cluster.replace("\"secrets/k3s-token\"", "\"\"")).expect("cluster.toml");
    put_all(&folder, "never-printed");
    fs::remove_file(folder.path().join("secrets/k3s-token")).expect("a secret");
    let output = secrets(&folder, &[]);
    assert_eq!(
        (output.status.code(), text(&output.stderr)),
        (Some(0), "all 11 secrets are ready; 1 of them without a file\n")
    );
    let line = "k3s-token        elsewhere  -                        servers     \
                /var/lib/rk1/secrets/k3s-token        k3s: token with which servers join";
    assert!(text(&output.stdout).lines().any(|each| each == line), "{}", text(&output.stdout));
}

fn git(folder: &TempDir, arguments: &[&str]) -> bool {
    let status = Command::new("git").arg("-C").arg(folder.path()).args(arguments).output();
    status.is_ok_and(|output| output.status.success())
}

#[test]
fn a_secret_that_nix_would_copy_is_not_ready() {
    let folder = project();
    put_all(&folder, "never-printed");
    fs::write(folder.path().join("flake.nix"), "{ }").expect("flake.nix");

    let output = secrets(&folder, &[]);
    let line = |name: &str, file: &str| {
        format!(
            "  hint: {name}: Nix copies a folder that is not a Git repository to its store, which every user can read: run \
             `git init` and add `secrets/{file}` to `.gitignore`\n"
        )
    };
    let expected: String = files().map(|(name, file)| line(name, file)).collect();
    assert_eq!(text(&output.stderr), expected + "11 of 11 secrets are not ready\n");
    assert_eq!(output.status.code(), Some(1));

    if !git(&folder, &["init", "--quiet"]) {
        return requirement::skipped("a_secret_that_nix_would_copy_is_not_ready", "git is not installed");
    }
    fs::write(folder.path().join(".gitignore"), "/secrets/[a-j]*\n").expect(".gitignore");
    let output = secrets(&folder, &[]);
    let line = |name: &str| {
        format!(
            "  hint: {name}: Nix copies what Git tracks to its store, which every user can read: add `secrets/{name}` to \
             `.gitignore`, and run `git rm --cached secrets/{name}` if Git tracks it already\n"
        )
    };
    let lines: String = MADE.into_iter().chain(["router"]).map(line).collect();
    let expected = lines + "8 of 11 secrets are not ready\n";
    assert_eq!(text(&output.stderr), expected);

    // Tracked although ignored.
    fs::write(folder.path().join(".gitignore"), "/secrets/\n").expect(".gitignore");
    assert!(git(&folder, &["add", "--force", "secrets/k3s-token"]));
    let output = secrets(&folder, &[]);
    assert_eq!(text(&output.stderr), line("k3s-token") + "1 of 11 secrets are not ready\n");
}

/// A question that Git cannot answer is not the same as a safe secret.
#[test]
fn an_unanswered_question_to_git_is_reported() {
    let folder = project();
    put_all(&folder, "never-printed");
    fs::write(folder.path().join("flake.nix"), "{ }").expect("flake.nix");
    if !git(&folder, &["init", "--quiet"]) {
        return requirement::skipped("an_unanswered_question_to_git_is_reported", "git is not installed");
    }
    fs::write(folder.path().join(".gitignore"), "/secrets/\n").expect(".gitignore");
    let run = |path: &std::path::Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rk1"));
        command.arg("secrets").current_dir(folder.path()).env("NO_COLOR", "1").env("PATH", path);
        command.output().expect("rk1 runs")
    };
    let expected = |reason: &str| {
        let lines = files().map(|(name, file)| {
            format!("  hint: {name}: could not ask Git whether it ignores `secrets/{file}`: {reason}\n")
        });
        lines.collect::<String>() + "11 of 11 secrets could not be checked\n"
    };

    // Git is not installed.
    let programs = tempfile::tempdir().expect("temporary folder");
    let output = run(programs.path());
    let missing = "cannot run `git`: No such file or directory (os error 2)";
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(3), expected(missing).as_str()));

    // Git refuses the repository of another user.
    let program = programs.path().join("git");
    fs::write(&program, "#!/bin/sh\necho 'fatal: detected dubious ownership' >&2\nexit 128\n").expect("git");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("mode");
    let output = run(programs.path());
    let dubious = "fatal: detected dubious ownership";
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(3), expected(dubious).as_str()));
}

/// Every error names the secret and its path.
#[test]
fn files_that_cannot_be_secrets_are_listed() {
    let folder = project();
    put_all(&folder, "never-printed");
    let path = |name: &str| folder.path().join("secrets").join(name);
    for name in ["azure-dns", "bgp", "grafana-token", "router"] {
        fs::remove_file(path(name)).expect("a secret");
    }
    std::os::unix::fs::symlink("k3s-token", path("azure-dns")).expect("a link");
    std::os::unix::fs::symlink("bgp", path("bgp")).expect("a loop");
    assert!(Command::new("mkfifo").arg(path("grafana-token")).status().expect("mkfifo").success());
    let file = folder.path().join("cluster.toml");
    let cluster = fs::read_to_string(&file).expect("cluster.toml");
    let cluster = cluster.replace("\"secrets/router\"", "\"cluster.toml/router\"");
    fs::write(&file, cluster).expect("cluster.toml");
    let output = secrets(&folder, &[]);
    assert_eq!(output.status.code(), Some(1));
    let expected = "\
SECRET           STATE       FILE                     NODES       PATH ON NODE                          USE
azure-dns        LINK        secrets/azure-dns        servers     /var/lib/rk1/secrets/azure-dns        Secret cert-manager/azure-dns-secret, key azure_client_secret
bgp-password     LINK        secrets/bgp              servers     /var/lib/rk1/secrets/bgp-password     Secret kube-system/bgp-mikrotik, key password
grafana-token    NOT A FILE  secrets/grafana-token    every node  /var/lib/rk1/secrets/grafana-token    streamer: token of Grafana
k3s-agent-token  present     secrets/k3s-agent-token  every node  /var/lib/rk1/secrets/k3s-agent-token  k3s: token with which agents join
k3s-server-ca    present     secrets/k3s-server-ca    rk1-01      /var/lib/rk1/secrets/k3s-server-ca    k3s: authority of the servers' certificates
k3s-token        present     secrets/k3s-token        servers     /var/lib/rk1/secrets/k3s-token        k3s: token with which servers join
rk1-01-ssh       present     secrets/rk1-01-ssh       rk1-01      /etc/ssh/ssh_host_ed25519_key         sshd: host key of the node
rk1-02-ssh       present     secrets/rk1-02-ssh       rk1-02      /etc/ssh/ssh_host_ed25519_key         sshd: host key of the node
rk1-03-ssh       present     secrets/rk1-03-ssh       rk1-03      /etc/ssh/ssh_host_ed25519_key         sshd: host key of the node
rk1-04-ssh       present     secrets/rk1-04-ssh       rk1-04      /etc/ssh/ssh_host_ed25519_key         sshd: host key of the node
router           UNREADABLE  cluster.toml/router      no node     -                                     `rk1 status`: password on mikrotik
";
    assert_eq!(text(&output.stdout), expected);
    let expected = "\
\x20 hint: azure-dns: write the path of the file itself to `[secrets]`, or replace `secrets/azure-dns` with the file
  hint: bgp-password: write the path of the file itself to `[secrets]`, or replace `secrets/bgp` with the file
  hint: grafana-token: replace `secrets/grafana-token` with a file that holds the secret
  hint: router: cannot read `cluster.toml/router`: Not a directory (os error 20)
4 of 11 secrets are not ready
";
    assert_eq!(text(&output.stderr), expected);
}

#[test]
fn the_template_keeps_secrets_out_of_the_store() {
    let folder = project();
    put_all(&folder, "never-printed");
    for (name, body) in [
        ("flake.nix", include_str!("../../templates/cluster/flake.nix")),
        (".gitignore", include_str!("../../templates/cluster/.gitignore")),
    ] {
        fs::write(folder.path().join(name), body).expect("template");
    }
    if !git(&folder, &["init", "--quiet"]) {
        return requirement::skipped("the_template_keeps_secrets_out_of_the_store", "git is not installed");
    }
    let output = secrets(&folder, &[]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), "all 11 secrets are ready\n"));
}

/// Runs every command that renders, and searches all files and outputs.
#[test]
fn no_rendered_file_holds_a_secret() {
    const CANARY: &str = "canary-of-a-secret-7d1f";
    let folder = project();
    put_all(&folder, CANARY);
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/pins.json"), folder.path().join("pins.json"))
        .expect("pins.json");
    for arguments in [&["render"][..], &["render", "--check"], &["check"], &["diagram"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_rk1"))
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .expect("rk1 runs");
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        assert!(!text(&output.stdout).contains(CANARY) && !text(&output.stderr).contains(CANARY));
    }
    let mut folders = vec![folder.path().to_owned()];
    let mut rendered = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_file() {
                rendered += 1;
                assert!(!fs::read_to_string(&entry).expect("text").contains(CANARY), "{}", entry.display());
            } else if !entry.ends_with("secrets") {
                folders.push(entry);
            }
        }
    }
    assert!(rendered > 15, "only {rendered} files");
}
