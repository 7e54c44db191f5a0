//! `rk1 check` on a cluster file with a mistake: the exit code and everything that is printed are compared.
//!
//! A case is a file `cases/NAME.edit` or `dual-stack/NAME.edit`, an edit of `base.toml` or `dual-stack.toml`: lines to find,
//! marked `- `, and lines to replace them with, marked `+ `. `NAME.stderr` holds the expected output;
//! `SNAPSHOTS=overwrite` writes it.
//!
//! Each case is a test of its own: `cargo test --test check cases/address-duplicate`.

#![allow(clippy::expect_used, reason = "a failed step is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
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

/// Each base, and the folder of the cases that edit it.
const BASES: [(&str, &str); 2] = [("base.toml", "cases"), ("dual-stack.toml", "dual-stack")];

fn base(name: &str) -> String {
    fs::read_to_string(folder().join(name)).expect("a base")
}

fn base_has_no_mistakes(name: &str) -> Result<(), Failed> {
    let expected = (Some(0), String::new(), "cluster.toml: 4 nodes, no mistakes\n".to_owned());
    let checked = check(&base(name));
    if checked == expected { Ok(()) } else { Err(format!("{name}: {checked:?}").into()) }
}

fn case_prints_what_is_expected(base: &str, path: &Path) -> Result<(), Failed> {
    let edit = fs::read_to_string(path)?;
    let (code, stdout, stderr) = check(&edited(base, &edit));
    assert_data_eq!(stderr, Data::read_from(&path.with_extension("stderr"), None).raw());
    // A warning does not fail the check.
    let name = path.file_stem().expect("a name").to_string_lossy();
    let passes =
        ["accepted-", "warning-"].iter().any(|prefix| name.starts_with(prefix)) || name == "secret-unused";
    assert_eq!(code, Some(i32::from(!passes)));
    assert_eq!(stdout, "");
    Ok(())
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for (base_name, cases) in BASES {
        trials.push(Trial::test(format!("{base_name} has no mistakes"), || base_has_no_mistakes(base_name)));
        for entry in fs::read_dir(folder().join(cases)).expect("cases") {
            let path = entry.expect("a case").path();
            if path.extension().is_some_and(|extension| extension == "edit") {
                let name = format!("{cases}/{}", path.file_stem().expect("a name").to_string_lossy());
                trials.push(Trial::test(name, move || case_prints_what_is_expected(&base(base_name), &path)));
            }
        }
    }
    assert!(trials.len() > 130, "only {} cases were found", trials.len());
    libtest_mimic::run(&arguments, trials).exit_code()
}
