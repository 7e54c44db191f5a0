//! Reports tests that cannot run on this machine.
//!
//! Rust's test harness cannot skip a test that has started, and counts it as passed. `tests/run` therefore names a file
//! in `TESTS_SKIPPED`, collects there what is reported here, and corrects the count.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;

/// Reports that `test` is skipped `because` something is missing: a line on the real standard error, which the test
/// harness does not capture, and a record for `tests/run`.
pub(crate) fn skipped(test: &str, because: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {test} because {because}");
    let Some(path) = env::var_os("TESTS_SKIPPED") else { return };
    let program = env::current_exe().ok();
    let target = program.as_deref().and_then(|path| path.file_stem()?.to_str()).unwrap_or("unknown");
    // Cargo appends a hash to the target's name.
    let target = target.rsplit_once('-').map_or(target, |(name, _)| name);
    let record = format!("{target}\t{test}\t{because}\n");
    // One write in append mode: tests and test programs write at the same time.
    let written =
        OpenOptions::new().append(true).open(path).and_then(|mut file| file.write_all(record.as_bytes()));
    if let Err(error) = written {
        let _ = writeln!(std::io::stderr(), "cannot record the skipped test {test}: {error}");
    }
}
