//! Runs programs, and checks which ones are missing.

use std::path::Path;
use std::process::{Command, Output};

use crate::requirement;

/// Runs a program that must succeed, and returns its standard output.
#[track_caller]
pub(crate) fn run(program: &str, arguments: &[&str]) -> String {
    match try_run(program, arguments) {
        Ok(output) => output,
        Err(error) => panic!("{program} {arguments:?}: {error}"),
    }
}

pub(crate) fn try_run(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(arguments).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let told = [output.stderr, output.stdout].concat();
        Err(String::from_utf8_lossy(&told).trim().to_owned())
    }
}

/// Runs `rk1` in a folder.
pub(crate) fn rk1(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rk1"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

/// Returns whether a program that a test needs is missing, and reports it.
pub(crate) fn lacks(test: &str, programs: &[&str]) -> bool {
    let is_there = |program: &str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(program).exists())
    };
    let missing = programs.iter().find(|program| !is_there(program));
    if let Some(program) = missing {
        requirement::skipped(
            test,
            &format!("{program} is not installed (tests/run names its Debian package)"),
        );
    }
    missing.is_some()
}
