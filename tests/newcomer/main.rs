//! The README's two commands and the tutorial in a clean Debian, in a container: see tests/newcomer/run.

#![allow(clippy::expect_used, reason = "a failed step is a failed test")]

#[path = "../requirement/mod.rs"]
mod requirement;

use std::process::{Command, Stdio};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// How `tests/newcomer/run` ends where Debian cannot be installed, as without network.
const NO_DEBIAN: i32 = 3;

fn is_installed(program: &str) -> bool {
    let search =
        Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status();
    search.is_ok_and(|status| status.success())
}

#[test]
fn a_clean_debian_12_and_13_follow_the_readme() {
    let test = "a_clean_debian_12_and_13_follow_the_readme";
    if !rustix::process::geteuid().is_root() {
        requirement::skipped(test, "a container takes root");
        return;
    }
    if let Some(program) = ["mmdebstrap", "systemd-nspawn"].into_iter().find(|program| !is_installed(program))
    {
        requirement::skipped(test, &format!("`{program}` is not installed"));
        return;
    }
    let releases = ["bookworm", "trixie"];
    let mut command = Command::new(format!("{ROOT}/tests/newcomer/run"));
    let output = command.args(releases).stdin(Stdio::null()).output().expect("bash");
    let written = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let seen = written(&output.stdout) + &written(&output.stderr);
    if output.status.code() == Some(NO_DEBIAN) {
        requirement::skipped(test, "Debian cannot be installed here");
        return;
    }
    assert!(output.status.success(), "{seen}");
    for release in releases {
        for step in [
            "cargo run --quiet -- render --out out: ",
            "tests/run --fast --quiet: ",
            "cargo test --quiet --test tutorial",
        ] {
            let line = seen.lines().find(|line| line.starts_with(&format!("{release}: {step}")));
            eprintln!("{}", line.expect("a line for each step"));
        }
    }
}
