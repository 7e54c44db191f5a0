//! The README's two commands and the tutorial in a clean Debian, in a container: see tests/newcomer/run.

#![allow(clippy::expect_used, reason = "a failed step is a failed test")]

#[path = "../requirement/mod.rs"]
mod requirement;

use std::process::{Command, Stdio};
use std::sync::Mutex;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// How `tests/newcomer/run` ends where Debian cannot be installed, as without network.
const NO_DEBIAN: i32 = 3;

/// Both compile: one at a time.
static ONE: Mutex<()> = Mutex::new(());

fn is_installed(program: &str) -> bool {
    let search =
        Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status();
    search.is_ok_and(|status| status.success())
}

fn follow(test: &str, release: &str) {
    if !rustix::process::geteuid().is_root() {
        requirement::skipped(test, "a container takes root");
        return;
    }
    if let Some(program) = ["mmdebstrap", "systemd-nspawn"].into_iter().find(|program| !is_installed(program))
    {
        requirement::skipped(test, &format!("`{program}` is not installed"));
        return;
    }
    let _turn = ONE.lock();
    let output = Command::new(format!("{ROOT}/tests/newcomer/run"))
        .arg(release)
        .stdin(Stdio::null())
        .output()
        .expect("bash");
    let written = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let seen = written(&output.stdout) + &written(&output.stderr);
    if output.status.code() == Some(NO_DEBIAN) {
        requirement::skipped(test, &format!("Debian `{release}` cannot be installed here"));
        return;
    }
    assert!(output.status.success(), "{seen}");
    for step in [
        "cargo run --quiet -- render --out out: ",
        "tests/run --fast --quiet: ",
        "cargo test --quiet --test tutorial",
    ] {
        let line = seen.lines().find(|line| line.starts_with(step));
        eprintln!("{release}: {}", line.expect("a line for each step"));
    }
}

#[test]
fn a_clean_debian_12_follows_the_readme() {
    follow("a_clean_debian_12_follows_the_readme", "bookworm");
}

#[test]
fn a_clean_debian_13_follows_the_readme() {
    follow("a_clean_debian_13_follows_the_readme", "trixie");
}
