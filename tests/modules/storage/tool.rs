//! Other programs, run to completion.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::requirement::skipped;

/// What every test here needs; a kind of content that needs more names it itself.
const ALWAYS: &[&str] =
    &["bash", "losetup", "partx", "wipefs", "systemd-repart", "mkfs.ext4", "e2fsck", "dumpe2fs", "sgdisk"];

/// Whether `test` can run here: as root, with loop devices and all of `tools`. Otherwise says why not, once, in a line.
pub fn can_run(test: &str, tools: &[&str]) -> bool {
    let because = if !is_root() {
        Some("it needs root for loop devices".to_owned())
    } else if !Path::new("/dev/loop-control").exists() {
        Some("there are no loop devices".to_owned())
    } else {
        ALWAYS
            .iter()
            .chain(tools)
            .find(|tool| !is_installed(tool))
            .map(|tool| format!("`{tool}` is not installed"))
    };
    if let Some(because) = &because {
        skipped(&format!("storage: {test}"), because);
    }
    because.is_none()
}

fn is_root() -> bool {
    output("id", ["-u"]).trim() == "0"
}

pub fn is_installed(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(tool).is_file())
}

/// Runs `program` and returns what it wrote to standard output; it must succeed.
pub fn output<A: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = A>) -> String {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    let output = command.output().unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a shell line with `$1` and so on set to `arguments`; it must succeed.
pub fn shell(line: &str, arguments: &[&OsStr]) -> String {
    output("bash", ["-euc", line, "bash"].iter().map(OsStr::new).chain(arguments.iter().copied()))
}
