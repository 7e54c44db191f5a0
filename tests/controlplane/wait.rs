//! Waiting for something, with a limit.

use std::thread;
use std::time::{Duration, Instant};

/// The time between two looks.
const POLL: Duration = Duration::from_millis(100);

/// Waits until `is_so` and returns how long that took.
#[track_caller]
pub(crate) fn until(what: &str, limit: Duration, mut is_so: impl FnMut() -> bool) -> Duration {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < limit, "not within {} s: {what}", limit.as_secs());
        thread::sleep(POLL);
    }
    started.elapsed()
}
