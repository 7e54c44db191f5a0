//! The protocol of the ring and the counters, as small programs in `litmus/` whose outcomes herd7 enumerates with the memory
//! model of the processor. They are abstractions, written by hand, of what the kernel's and Rust's compilers emit for one
//! record. The first word of each description says how often the outcome that the file asks for may happen.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{Outcome, ROOT};

/// Returns the names of the files.
pub(crate) fn names() -> Vec<String> {
    let files = fs::read_dir(format!("{ROOT}/tests/arm64/litmus")).expect("a folder");
    let name = |path: &Path| path.file_stem().and_then(|name| name.to_str()).map(str::to_owned);
    let mut names: Vec<String> = files.filter_map(|file| name(&file.ok()?.path())).collect();
    names.sort();
    names
}

/// Runs one of them.
pub(crate) fn check(prepared: &Path, name: &str) -> Result<(), Outcome> {
    let herd = prepared.join("herd");
    if !herd.exists() {
        return Err(Outcome::Skipped("Debian's sid has no herd7 (herdtools7) here".to_owned()));
    }
    let file = format!("{ROOT}/tests/arm64/litmus/{name}.litmus");
    let text = fs::read_to_string(&file).expect("a file");
    let expected =
        text.split('"').nth(1).and_then(|description| description.split(':').next()).unwrap_or_default();
    // Debian's sid has a newer C library than the system.
    let output = Command::new(herd.join("usr/lib64/ld-linux-x86-64.so.2"))
        .arg("--library-path")
        .arg(herd.join("usr/lib/x86_64-linux-gnu"))
        .arg(herd.join("usr/bin/herd7"))
        .arg("-set-libdir")
        .arg(herd.join("usr/share/herdtools7/herd"))
        .arg(&file)
        .output()
        .expect("herd7");
    let said = String::from_utf8_lossy(&output.stdout);
    let answer = said.lines().find_map(|line| line.strip_prefix(&format!("Observation {name} ")));
    let answer = answer.and_then(|answer| answer.split(' ').next()).map(str::to_lowercase);
    if answer.as_deref() == Some(expected) {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(Outcome::Failed(format!("expected: {expected}, found: {answer:?}\n{said}{errors}")))
}
