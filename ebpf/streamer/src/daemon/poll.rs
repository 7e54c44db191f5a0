//! When to look at the ring again.

use crate::capture::RingSize;
use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(5);
const BUSY: Duration = Duration::from_millis(20);
/// The longest wait, which bounds how late the first packet after a silence is shown.
const IDLE: Duration = Duration::from_millis(500);

/// From this many records a second on, the wait is short.
const BUSY_RATE: u128 = 100;

/// Decides how long to wait between two looks at the ring: a short time while packets arrive, a long time while they do
/// not. The packet program never wakes the reader.
#[derive(Debug)]
pub struct PollTimer {
    wait: Duration,
    /// The longest wait of this timer.
    idle: Duration,
    ring: RingSize,
}

impl PollTimer {
    /// Returns a timer for a ring and a budget of records a second. A flood at the full budget that begins after a silence
    /// fills at most a quarter of the ring until the next look, so that none of it is sampled out.
    #[must_use]
    pub fn new(ring: RingSize, budget: u32) -> Self {
        let nanoseconds = ring.records() as u64 / 4 * 1_000_000_000 / u64::from(budget.max(1));
        Self { wait: BUSY, idle: Duration::from_nanos(nanoseconds).clamp(BUSY, IDLE), ring }
    }

    /// Returns how long to wait after a look that found `records`, `elapsed` after the look before.
    pub fn after(&mut self, records: usize, elapsed: Duration) -> Duration {
        let rate = records as u128 * 1_000_000_000 / elapsed.as_nanos().max(1);
        self.wait = if records >= self.ring.records() / 8 {
            SHORTEST
        } else if rate >= BUSY_RATE && records > 1 {
            BUSY
        } else {
            (self.wait * 2).min(self.idle)
        };
        self.wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_ring_is_looked_at_twice_a_second() {
        let mut timer = PollTimer::new(RingSize::default(), 500);
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
        let ring = RingSize::default();
        let mut timer = PollTimer { wait: IDLE, idle: IDLE, ring };
        assert_eq!(timer.after(ring.records(), IDLE), SHORTEST);
        assert_eq!(timer.after(10, SHORTEST), BUSY);
        // A packet now and then does not count.
        assert_eq!(timer.after(1, BUSY), BUSY * 2);
    }

    #[test]
    fn a_larger_budget_is_looked_at_more_often() {
        let longest = [500, 10_000, 100_000, 1_000_000, u32::MAX].map(|budget| {
            let mut timer = PollTimer::new(RingSize::choose(budget, 1), budget);
            (0..10).map(|_| timer.after(0, BUSY)).max().unwrap().as_millis()
        });
        assert_eq!(longest, [500, 500, 81, 20, 20]);
    }
}
