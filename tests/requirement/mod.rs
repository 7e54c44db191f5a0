//! What a test needs from outside the repository, and the one line that says so when it is not there.

use std::io::Write;

/// Says that `test` was skipped, on the real standard error, which the test harness does not capture.
pub(crate) fn skipped(test: &str, because: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {test} because {because}");
}
