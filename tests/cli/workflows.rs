//! The forge's workflows, checked with actionlint.

#![allow(clippy::expect_used, reason = "a failed step is a failed test")]

use std::process::{Command, Stdio};

#[path = "../requirement/mod.rs"]
mod requirement;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The version that the workflow itself runs, too.
const ACTIONLINT: &str = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";

fn runs(program: &str, argument: &str) -> bool {
    let quiet = Command::new(program).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

#[test]
fn actionlint_has_no_objection() {
    let test = "actionlint_has_no_objection";
    let mut command = if runs("actionlint", "-version") {
        Command::new("actionlint")
    } else if runs("go", "version") {
        let mut build = Command::new("go");
        build.args(["run", ACTIONLINT]);
        if !runs_with(&mut build, "-version") {
            requirement::skipped(test, "actionlint is not installed, and `go run` cannot get it");
            return;
        }
        let mut command = Command::new("go");
        command.args(["run", ACTIONLINT]);
        command
    } else {
        requirement::skipped(test, "neither actionlint nor go is installed");
        return;
    };
    let output = command.current_dir(ROOT).output().expect("actionlint runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn runs_with(command: &mut Command, argument: &str) -> bool {
    let quiet = command.arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

#[test]
fn the_workflow_runs_the_version_that_this_test_runs() {
    let workflow = std::fs::read_to_string(format!("{ROOT}/.github/workflows/ci.yml")).expect("ci.yml");
    assert!(workflow.contains(ACTIONLINT), "{ACTIONLINT} is not in ci.yml");
}
