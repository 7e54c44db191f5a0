//! The kernel's clocks.

use crate::row::UnixNanos;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// The distance from `CLOCK_MONOTONIC` to Unix time. It is read again for each look at the ring, because the wall clock
/// may be set at any time.
#[derive(Debug, Clone, Copy)]
pub struct WallClock {
    offset: i64,
}

impl WallClock {
    #[must_use]
    pub fn now() -> Self {
        Self { offset: unix_now() - nanos(clock_gettime(ClockId::Monotonic)) }
    }

    /// Returns the Unix time of a kernel time in nanoseconds.
    #[must_use]
    pub fn unix(self, monotonic: u64) -> UnixNanos {
        crate::row::signed(monotonic).saturating_add(self.offset)
    }
}

/// Returns the time of the wall clock.
#[must_use]
pub fn unix_now() -> UnixNanos {
    nanos(clock_gettime(ClockId::Realtime))
}

fn nanos(time: Timespec) -> i64 {
    time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_current_monotonic_time_is_the_current_unix_time() {
        let monotonic = u64::try_from(nanos(clock_gettime(ClockId::Monotonic))).unwrap();
        let distance = (WallClock::now().unix(monotonic) - unix_now()).abs();
        assert!(distance < 1_000_000_000, "{distance}");
    }
}
