//! The kernel's monotonic time as wall-clock time.

use crate::row::UnixNanos;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// What to add to `CLOCK_MONOTONIC` for the Unix time: follows steps of the wall clock when it is read anew.
#[derive(Debug, Clone, Copy)]
pub struct WallClock {
    offset: i64,
}

impl WallClock {
    #[must_use]
    pub fn now() -> Self {
        Self { offset: unix_now() - nanos(clock_gettime(ClockId::Monotonic)) }
    }

    /// The wall-clock time of a kernel time in nanoseconds.
    #[must_use]
    pub fn unix(self, monotonic: u64) -> UnixNanos {
        crate::row::signed(monotonic).saturating_add(self.offset)
    }
}

/// The wall clock's time.
#[must_use]
pub fn unix_now() -> UnixNanos {
    nanos(clock_gettime(ClockId::Realtime))
}

/// Processor time that this process has used, in milliseconds.
#[must_use]
pub fn cpu_ms() -> u64 {
    u64::try_from(nanos(clock_gettime(ClockId::ProcessCPUTime)) / 1_000_000).unwrap_or_default()
}

fn nanos(time: Timespec) -> i64 {
    time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_monotonic_time_of_now_is_now() {
        let monotonic = u64::try_from(nanos(clock_gettime(ClockId::Monotonic))).unwrap();
        let distance = (WallClock::now().unix(monotonic) - unix_now()).abs();
        assert!(distance < 1_000_000_000, "{distance}");
    }
}
