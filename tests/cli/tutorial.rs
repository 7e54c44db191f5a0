//! The tutorial, docs/install.md, followed line by line as far as no board, router or Nix builder is needed.

#![allow(clippy::expect_used, reason = "a failed step is a failed test")]

#[path = "../requirement/mod.rs"]
mod requirement;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const PAGE: &str = include_str!("../../docs/install.md");

/// The answers to `rk1 init`. Nothing is taken from the machine that the test runs on.
const ANSWERS: &str = "rk1 init --yes --name home --domain home.arpa --network 192.168.7.0/24 --gateway 192.168.7.1 \
                       --nodes 4 --first-node 192.168.7.221 --bmc 192.168.7.220 --router frr --services 192.168.69.0/24 \
                       --dns-provider cloudflare --grafana none";

/// What stands in the way of a line.
const NOT_RUN: [(&str, &str); 9] = [
    ("sudo rk1 lab", "the tests of `bgp` run it"),
    ("nix build .#rk1-01", "an aarch64 builder and nixpkgs"),
    ("rk1 inspect result/rk1-01.img.xz", "the image"),
    ("rk1 flash rk1-01 --dry-run", "the image"),
    ("rk1 flash rk1-01", "a board"),
    ("rk1 flash rk1-02 rk1-03 rk1-04", "a board"),
    ("rk1 status", "a cluster"),
    ("curl -I https://hubble.example.org", "a cluster"),
    ("rk1 deploy", "a cluster"),
];

/// Lines of the page's indented blocks, without comments.
fn lines() -> Vec<&'static str> {
    let code = PAGE.lines().filter_map(|line| line.strip_prefix("    "));
    code.map(|line| line.split(" #").next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty())
        .collect()
}

/// A folder in which somebody begins, with the key of an SSH client.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("temporary folder");
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGpGsjHz5ueLOKAjtTmSLtDtWsuIWBjcAWGgu5rnCQmC me@home\n";
    fs::create_dir(home.path().join(".ssh")).expect("a folder");
    fs::write(home.path().join(".ssh/id_ed25519.pub"), key).expect("a key");
    fs::create_dir(home.path().join("cluster")).expect("a folder");
    home
}

/// Runs a line as the reader's shell would.
///
/// # Errors
///
/// What it wrote, if it failed.
fn run(line: &str, home: &Path) -> Result<(), String> {
    let rk1 = Path::new(env!("CARGO_BIN_EXE_rk1")).parent().expect("a folder").display();
    let path = format!("{rk1}:{}", std::env::var("PATH").unwrap_or_default());
    let output = Command::new("sh")
        .args(["-e", "-c", line])
        .current_dir(home.join("cluster"))
        .env("HOME", home)
        .env("PATH", path)
        .env("RK1", format!("git+file://{ROOT}"))
        .env("NIX_CONFIG", "experimental-features = nix-command flakes")
        .envs([
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "safe.directory"),
            ("GIT_CONFIG_VALUE_0", "*"),
        ])
        .env_remove("RK1_FILE")
        .env_remove("GIT_DIR")
        .stdin(Stdio::null())
        .output()
        .expect("sh");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{line}: {}\n{}{}", output.status, text(&output.stdout), text(&output.stderr)))
}

fn is_installed(program: &str) -> bool {
    let search =
        Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status();
    search.is_ok_and(|status| status.success())
}

#[test]
fn the_tutorial_can_be_followed() {
    let test = "the_tutorial_can_be_followed";
    let home = home();
    let cluster = home.path().join("cluster");
    let mut not_run: Vec<_> = NOT_RUN.iter().map(|(line, _)| *line).collect();
    let mut secrets_are_listed = false;
    for line in lines() {
        if let Some((_, because)) = NOT_RUN.iter().find(|(known, _)| *known == line) {
            eprintln!("{line}: needs {because}");
            not_run.retain(|known| *known != line);
            continue;
        }
        let program = line.split_whitespace().next().unwrap_or_default();
        if ["git", "nix"].contains(&program) && !is_installed(program) {
            requirement::skipped(test, &format!("`{program}` is not installed: `{line}`"));
            continue;
        }
        let started = Instant::now();
        let ended = match line {
            "rk1 init" => run(ANSWERS, home.path()),
            // The first call lists what is missing, and exits with 1. The reader writes it to the file that is named.
            "rk1 secrets" if !secrets_are_listed => {
                secrets_are_listed = true;
                let missing = run(line, home.path()).expect_err("a secret is missing");
                assert!(missing.contains("MISSING  secrets/cloudflare-token"), "{missing}");
                fs::write(cluster.join("secrets/cloudflare-token"), "0123456789").expect("a secret");
                Ok(())
            }
            _ => run(line, home.path()),
        };
        eprintln!("{line}: {} ms", started.elapsed().as_millis());
        if let Err(seen) = ended {
            panic!("{seen}");
        }
    }
    assert_eq!(not_run, Vec::<&str>::new(), "these lines are no longer in the tutorial");
    for made in [
        "hosts/home-4.nix",
        "manifests/30-bgp.yaml",
        "routers/router.frr.conf",
        "topology.svg",
        "known_hosts",
    ] {
        assert!(cluster.join(made).exists(), "{made}");
    }
    if is_installed("nix") {
        let flake = fs::read_to_string(cluster.join("flake.nix")).expect("flake.nix");
        assert!(flake.contains(&format!("inputs.rk1.url = \"git+file://{ROOT}\"")), "{flake}");
    }
    // The secrets stay out of Git, and so out of the Nix store.
    if is_installed("git") {
        let tracked = Command::new("git").args(["ls-files"]).current_dir(&cluster).output().expect("git");
        let tracked = String::from_utf8_lossy(&tracked.stdout).into_owned();
        assert!(tracked.contains("hosts/home-1.nix") && !tracked.contains("secrets"), "{tracked}");
    }
}
