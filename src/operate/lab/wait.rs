use std::thread;
use std::time::{Duration, Instant};

use super::LabError;

const POLL: Duration = Duration::from_millis(50);

/// Waits until something is so, and says how long it took.
pub(super) fn wait(
    limit: Duration,
    mut is_so: impl FnMut() -> Result<bool, LabError>,
) -> Result<Option<Duration>, LabError> {
    let started = Instant::now();
    loop {
        if is_so()? {
            return Ok(Some(started.elapsed()));
        }
        if started.elapsed() > limit {
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}
