//! When to look at the ring again.

use crate::capture::RING_RECORDS;
use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(5);
const BUSY: Duration = Duration::from_millis(20);
const IDLE: Duration = Duration::from_millis(500);

/// Records a second from which on traffic is worth a short wait.
const BUSY_RATE: u128 = 100;

/// Looks often while packets come, rarely while they do not: nobody wakes the reader.
#[derive(Debug)]
pub struct PollTimer {
    wait: Duration,
}

impl Default for PollTimer {
    fn default() -> Self {
        Self { wait: BUSY }
    }
}

impl PollTimer {
    /// How long to wait after `records` were found, `elapsed` after the last look.
    pub fn after(&mut self, records: usize, elapsed: Duration) -> Duration {
        let rate = records as u128 * 1_000_000_000 / elapsed.as_nanos().max(1);
        self.wait = if records >= RING_RECORDS / 8 {
            SHORTEST
        } else if rate >= BUSY_RATE && records > 1 {
            BUSY
        } else {
            (self.wait * 2).min(IDLE)
        };
        self.wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_looked_at_twice_a_second() {
        let mut timer = PollTimer::default();
        let mut wait = BUSY;
        let waits: Vec<u128> = (0..7)
            .map(|_| {
                wait = timer.after(0, wait);
                wait.as_millis()
            })
            .collect();
        assert_eq!(waits, [40, 80, 160, 320, 500, 500, 500]);
    }

    #[test]
    fn traffic_shortens_the_wait_at_once() {
        let mut timer = PollTimer { wait: IDLE };
        assert_eq!(timer.after(RING_RECORDS, IDLE), SHORTEST);
        assert_eq!(timer.after(10, SHORTEST), BUSY);
        // A packet now and then is no traffic.
        assert_eq!(timer.after(1, BUSY), BUSY * 2);
    }
}
