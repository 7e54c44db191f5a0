//! `rk1 join`: its commands, run by a shell with a stand-in for ssh, and the token, which is nowhere but in its file.

#![allow(clippy::expect_used, reason = "a failed step is a failed test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// Runs each command below `ROOT` and logs it. The installer of k3s is only logged.
const SSH: &str = r#"#!/usr/bin/env bash
set -o errexit
printf '%s\n' "$*" >>"$ROOT/log"
shift
command=${*//\/etc\/rancher/$ROOT}
command=${command//sudo /}
case $command in
  *get.k3s.io*) ;;
  *) sh -c "$command" ;;
esac
"#;

struct Project {
    folder: TempDir,
}

impl Project {
    /// The example with machines that join by themselves, and secrets.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let example = include_str!("../../examples/mixed-modules/cluster.toml");
        fs::write(folder.path().join("cluster.toml"), example).expect("cluster.toml");
        let project = Self { folder };
        let ssh = project.path("bin/ssh");
        fs::create_dir(project.path("bin")).expect("a folder");
        fs::write(&ssh, SSH).expect("a script");
        fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).expect("a mode");
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn rk1(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rk1"));
        command.args(arguments).current_dir(self.folder.path()).env("NO_COLOR", "1");
        command.output().expect("rk1 runs")
    }

    /// Runs lines as a user would paste them. Returns what they print.
    fn paste(&self, lines: &[u8]) -> String {
        let program = Path::new(env!("CARGO_BIN_EXE_rk1")).parent().expect("a folder");
        let path = std::env::var("PATH").expect("PATH");
        let path = format!("{}:{}:{path}", self.path("bin").display(), program.display());
        let output = Command::new("bash")
            .args(["-o", "errexit", "-o", "pipefail", "-c", &String::from_utf8_lossy(lines)])
            .current_dir(self.folder.path())
            .env("PATH", path)
            .env("ROOT", self.folder.path())
            .output()
            .expect("bash runs");
        let told = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success(), "{told}");
        told
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_machine_joins_with_the_token_of_agents_in_a_file_of_root() {
    let project = Project::new();
    assert!(project.rk1(&["secrets", "--generate"]).status.success());
    let printed = project.rk1(&["join", "den-jetson"]);
    assert_eq!(printed.status.code(), Some(0), "{}", text(&printed.stderr));
    assert_eq!(
        text(&printed.stdout),
        "# The token of agents, into a file that only root can read.\n\
         rk1 join den-jetson --token | ssh ubuntu@192.168.20.14 'sudo install -D -m 600 /dev/stdin /etc/rancher/k3s/join-token'\n\
         # The settings.\n\
         ssh ubuntu@192.168.20.14 'sudo install -D -m 644 /dev/stdin /etc/rancher/k3s/config.yaml' <<'END'\n\
         server: https://192.168.20.11:6443\n\
         token-file: /etc/rancher/k3s/join-token\n\
         node-name: den-jetson\n\
         node-ip: 192.168.20.14\n\
         END\n\
         # k3s of the servers' minor release, by its own installer.\n\
         ssh ubuntu@192.168.20.14 'curl -sfL https://get.k3s.io | sudo env INSTALL_K3S_CHANNEL=v1.36 sh -s - agent'\n"
    );
    let told = project.paste(&printed.stdout);

    let secret = fs::read_to_string(project.path("secrets/k3s-agent-token")).expect("a token");
    let secret = secret.trim();
    let file = project.path("k3s/join-token");
    let token = fs::read_to_string(&file).expect("the token on the machine");
    let (hash, password) =
        token.trim().strip_prefix("K10").and_then(|full| full.split_once("::node:")).expect("a full token");
    assert_eq!((hash.len(), password), (64, secret));
    assert_eq!(fs::metadata(&file).expect("a mode").permissions().mode() & 0o777, 0o600);
    let config = fs::read_to_string(project.path("k3s/config.yaml")).expect("settings");
    assert_eq!(config.lines().nth(2), Some("node-name: den-jetson"));
    let log = fs::read_to_string(project.path("log")).expect("a log");
    assert_eq!(log.lines().count(), 3);
    for shown in [text(&printed.stdout), told, config, log] {
        assert!(!shown.contains(secret), "{shown}");
    }
    // As root, without sudo.
    assert!(!text(&project.rk1(&["join", "den-pc"]).stdout).contains("sudo"));
}

#[test]
fn who_cannot_join_by_hand_is_told_what_to_do() {
    let project = Project::new();
    let told = |arguments: &[&str]| {
        let output = project.rk1(&[arguments, &["--quiet"]].concat());
        assert_eq!(text(&output.stdout), "");
        (output.status.code(), text(&output.stderr))
    };
    assert_eq!(
        told(&["join", "den-1"]),
        (
            Some(2),
            "error: node `den-1` is of the kind `rk1`, which does not join by hand\n  \
             hint: flash it: its image joins with the secrets that `rk1 flash den-1` adds\n"
                .to_owned()
        )
    );
    assert_eq!(
        told(&["flash", "den-jetson"]),
        (
            Some(1),
            "error: node `den-jetson` is of the kind `other`, for which rk1 builds no image\n  \
             hint: install it by its own means, then run `rk1 join den-jetson`\n"
                .to_owned()
        )
    );
    assert_eq!(
        told(&["flash", "den-nas"]),
        (
            Some(1),
            "error: node `den-nas` is in no board, so that no BMC can write to it\n  \
             hint: run `rk1 flash den-nas --output den-nas.img`, which adds the secrets, and write that file to the eMMC: \
             docs/nodes.md\n"
                .to_owned()
        )
    );
    assert_eq!(
        told(&["deploy", "den-pc", "--dry-run"]),
        (
            Some(2),
            "error: node `den-pc` is of the kind `other`, on which rk1 deploys nothing\n  \
             hint: update its k3s by the machine's own means: `rk1 join den-pc` prints the version\n"
                .to_owned()
        )
    );
    // Without secrets.
    let (code, told) = told(&["join", "den-pc", "--token"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("hint: run `rk1 secrets --generate`"), "{told}");
}
