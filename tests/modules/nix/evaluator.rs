//! Nix, with the harness of this directory bound to `harness` and its report to `report`.

use crate::requirement;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What evaluates.
pub(crate) struct Nix {
    /// The directory with the lists of options.
    pub(crate) data: PathBuf,
}

impl Nix {
    /// Nothing, and one line on standard error, where a part is missing.
    pub(crate) fn new(test: &str) -> Option<Self> {
        let data = Path::new(ROOT).join("../shared/data");
        let because = if Command::new("nix-instantiate").arg("--version").output().is_err() {
            "nix-instantiate is not installed (Debian: nix-bin)".to_owned()
        } else if !find_file("nixpkgs/lib") {
            "<nixpkgs/lib> is not on Nix's search path (a checkout of nix-community/nixpkgs.lib will do)"
                .to_owned()
        } else if !data.join("nixos-options-2024-12.json").exists() {
            format!("the lists of NixOS's options are not in {}", data.display())
        } else {
            return Some(Self { data });
        };
        requirement::skipped(test, &because);
        None
    }

    /// The value of an expression in which `harness` and `report` are bound.
    ///
    /// The error is what Nix says, with the checkout's path as `[ROOT]`.
    pub(crate) fn evaluate(&self, expression: &str) -> Result<Value, String> {
        let program = format!(
            "let data = {data:?}; harness = import {ROOT}/tests/modules/nix/harness.nix {{ inherit data; }}; \
             report = import {ROOT}/tests/modules/nix/report.nix {{ inherit data; }}; in {expression}",
            data = self.data.display().to_string(),
        );
        let output = Command::new("nix-instantiate")
            // Store paths are computed, nothing is written to the store.
            .args(["--readonly-mode", "--eval", "--strict", "--json", "--expr", &program])
            .output()
            .unwrap();
        if output.status.success() {
            Ok(serde_json::from_slice(&output.stdout).unwrap())
        } else {
            Err(String::from_utf8(output.stderr).unwrap().replace(ROOT, "[ROOT]"))
        }
    }

    #[track_caller]
    pub(crate) fn value(&self, expression: &str) -> Value {
        self.evaluate(expression).unwrap_or_else(|error| panic!("{error}"))
    }

    /// What Nix says of hosts in tests/modules/nix/broken.
    #[track_caller]
    pub(crate) fn broken(&self, name: &str) -> String {
        self.refusal(&format!("harness.evaluate {ROOT}/tests/modules/nix/broken/{name}.nix"))
    }

    /// The first lines of what Nix says: up to where it shows the code.
    #[track_caller]
    pub(crate) fn refusal(&self, expression: &str) -> String {
        let error = self.evaluate(expression).unwrap_err();
        // Newer Nix tells the way to the error first.
        let (_, last) = error.rsplit_once("error:").unwrap();
        let told = last.split("\n\n       at ").next().unwrap();
        told.lines()
            .filter(|line| !line.starts_with("(use '--show-trace'"))
            .fold(String::new(), |text, line| text + line.trim() + "\n")
    }
}

pub(crate) fn find_file(path: &str) -> bool {
    Command::new("nix-instantiate").args(["--find-file", path]).output().unwrap().status.success()
}
