//! A time of its own for each row.

use super::{Origin, UnixNanos, signed};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

const MILLISECOND: UnixNanos = 1_000_000;

/// How far the time of a row may run ahead of its packet.
const MOST_AHEAD: UnixNanos = 250 * MILLISECOND;

/// Beyond `MOST_AHEAD`, rows are a nanosecond apart. A burst would need 50 million rows to run this much further ahead,
/// so a greater distance means that the wall clock was set back.
const CLOCK_STEP: UnixNanos = 50 * MILLISECOND;

/// Gives each row of a measurement a time of its own.
///
/// The kernel's coarse clock moves once in 1 to 10 ms, so several packets have the same time. `InfluxDB` keeps one row for
/// each time, measurement and tag set, and our rows have no tags. The panels of a Grafana before version 13 keep one row
/// for each millisecond of a push. So rows are a millisecond apart as long as that does not take them more than 250 ms
/// ahead, and a nanosecond apart beyond that. Hosts and interfaces differ by a fixed offset below one millisecond.
#[derive(Debug)]
pub struct UniqueTime {
    offset: UnixNanos,
    last: UnixNanos,
}

impl UniqueTime {
    #[must_use]
    pub fn new(origin: &Origin) -> Self {
        let mut hasher = DefaultHasher::new();
        origin.host().hash(&mut hasher);
        origin.interface().hash(&mut hasher);
        Self { offset: signed(hasher.finish() % MILLISECOND.unsigned_abs()), last: 0 }
    }

    /// Returns the first free millisecond at or after `time`, or the first free nanosecond where that is too far ahead.
    ///
    /// After the wall clock was set back, times follow it at once: they repeat times that were used before the step,
    /// because the alternative is rows from the future.
    pub fn assign(&mut self, time: UnixNanos) -> UnixNanos {
        let own = time.saturating_add(self.offset);
        let latest = own.saturating_add(MOST_AHEAD);
        if self.last > latest.saturating_add(CLOCK_STEP) {
            self.last = own;
            return own;
        }
        let apart = self.last.saturating_add(MILLISECOND);
        let free = if apart <= latest { apart } else { self.last.saturating_add(1) };
        self.last = own.max(free);
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: UnixNanos = 1000 * MILLISECOND;

    fn times() -> UniqueTime {
        UniqueTime::new(&Origin::new("rk1-01", "end0"))
    }

    #[test]
    fn no_two_rows_share_a_time() {
        let mut times = times();
        let first = times.assign(5_000_000);
        let next = [times.assign(5_000_000), times.assign(4_000_000)];
        assert_eq!(next, [first + MILLISECOND, first + 2 * MILLISECOND]);
        assert!((5_000_000..6_000_000).contains(&first));
    }

    #[test]
    fn a_burst_does_not_run_far_ahead() {
        let mut times = times();
        let first = times.assign(MILLISECOND);
        let burst: Vec<_> = (0..2000).map(|_| times.assign(MILLISECOND)).collect();
        assert!(burst.is_sorted_by(|a, b| a < b));
        assert_eq!(burst[249], first + MOST_AHEAD);
        assert_eq!(burst[1999], first + MOST_AHEAD + 1750);
        // The clock has gone on, so rows are a millisecond apart again.
        assert_eq!(times.assign(3 * MILLISECOND), burst[1999] + MILLISECOND);
        assert_eq!(times.assign(900 * MILLISECOND) / MILLISECOND, 900);
    }

    /// Rows may run ahead by 300 ms at most, whatever the clock does, so they are right again within a second.
    #[test]
    fn rows_follow_the_clock_when_it_is_set_back_or_forward() {
        for step in [-3600 * SECOND, -2 * SECOND, -SECOND, -SECOND / 3, -SECOND / 5, SECOND, 3600 * SECOND] {
            let mut times = times();
            let start = 1_716_570_245 * SECOND;
            for at in 0..500 {
                times.assign(start + at * 2 * MILLISECOND);
            }
            for at in 0..1000 {
                let now = start + SECOND + step + at * MILLISECOND;
                let ahead = times.assign(now) - now;
                assert!(
                    (0..=MOST_AHEAD + CLOCK_STEP + MILLISECOND).contains(&ahead),
                    "{step}: {at}: {ahead}"
                );
                assert!(at < 900 || ahead < MOST_AHEAD + 2 * MILLISECOND, "{step}: {at}: {ahead}");
            }
        }
    }
}
