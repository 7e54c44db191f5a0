//! `rk1 check` on a cluster file with one mistake (or several): the whole of standard error is compared.
//!
//! A case is an edit of `check/base.toml`, or of `check/dual-stack.toml`: lines to find, marked `- `, and lines to put in their place, marked `+ `.
//! `SNAPSHOTS=overwrite` writes the expected texts anew.

#![allow(clippy::expect_used, reason = "what is not as it should be ends the run")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use snapbox::{Data, assert_data_eq};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/check")
}

/// The base with a case's edit applied.
fn edited(base: &str, edit: &str) -> String {
    let mut text = base.to_owned();
    let mut lines = edit.lines().peekable();
    while lines.peek().is_some() {
        let mut take = |mark: char| {
            let mut block = String::new();
            while let Some(line) = lines.next_if(|line| line.starts_with(mark)) {
                block.push_str(line[1..].strip_prefix(' ').unwrap_or_default());
                block.push('\n');
            }
            block
        };
        let (before, after) = (take('-'), take('+'));
        assert!(!before.is_empty(), "an edit begins with a line to find");
        assert_eq!(text.matches(&before).count(), 1, "not once in the base:\n{before}");
        text = text.replace(&before, &after);
    }
    text
}

/// Exit code, standard output and standard error of `rk1 check`.
fn check(text: &str) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().expect("temporary folder");
    fs::write(folder.path().join("cluster.toml"), text).expect("cluster.toml");
    let output = Command::new(env!("CARGO_BIN_EXE_rk1"))
        .arg("check")
        .current_dir(folder.path())
        .env("NO_COLOR", "1")
        .output()
        .expect("rk1 runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// What the cases of each folder change.
const BASES: [(&str, &str); 2] = [("base.toml", "cases"), ("dual-stack.toml", "dual-stack")];

fn base(name: &str) -> String {
    fs::read_to_string(folder().join(name)).expect("a base")
}

#[test]
fn the_bases_have_no_mistakes() {
    for (name, _) in BASES {
        let expected = (Some(0), String::new(), "cluster.toml: 4 nodes, no mistakes\n".to_owned());
        assert_eq!(check(&base(name)), expected, "{name}");
    }
}

#[test]
fn each_mistake_is_said_in_full() {
    let mut cases = 0;
    for (base_name, cases_of) in BASES {
        let base = base(base_name);
        for entry in fs::read_dir(folder().join(cases_of)).expect("cases") {
            let path = entry.expect("case").path();
            if path.extension().is_none_or(|extension| extension != "edit") {
                continue;
            }
            let name = path.file_stem().expect("name").to_string_lossy().into_owned();
            let edit = fs::read_to_string(&path).expect("edit");
            let (code, stdout, stderr) = check(&edited(&base, &edit));
            assert_data_eq!(stderr, Data::read_from(&path.with_extension("stderr"), None).raw());
            // A warning is no reason to fail.
            let is_warning = name.starts_with("warning-") || name == "secret-unused";
            assert_eq!(code, Some(i32::from(!is_warning)), "{cases_of}/{name}");
            assert_eq!(stdout, "", "{cases_of}/{name}");
            cases += 1;
        }
    }
    assert!(cases >= 130, "only {cases} cases were found");
}
