//! The time of a record.

use aya_ebpf::helpers::{bpf_jiffies64, bpf_ktime_get_coarse_ns};

/// The coarse clock as this CPU last read it.
#[repr(C)]
pub(crate) struct Clock {
    tick: u64,
    time: u64,
}

impl Clock {
    /// `CLOCK_MONOTONIC_COARSE` in nanoseconds, at most one tick behind.
    ///
    /// That clock moves with the tick only, and the tick's number is read without a call: so the clock is asked once a
    /// tick. Whoever looks between the tick's number and its time, which the kernel moves one after the other, keeps
    /// the time of the tick before.
    #[inline(always)]
    pub(crate) fn now(&mut self) -> u64 {
        // SAFETY: the helper has no arguments.
        let tick = unsafe { bpf_jiffies64() };
        if self.tick != tick {
            self.tick = tick;
            // SAFETY: the helper has no arguments.
            self.time = unsafe { bpf_ktime_get_coarse_ns() };
        }
        self.time
    }
}
