//! The time of a record.

use aya_ebpf::helpers::{bpf_jiffies64, bpf_ktime_get_coarse_ns};

/// A cache of the kernel's coarse clock for one CPU.
#[repr(C)]
pub(crate) struct CoarseClock {
    tick: u64,
    time: u64,
}

impl CoarseClock {
    /// Returns `CLOCK_MONOTONIC_COARSE` in nanoseconds, at most one tick late.
    ///
    /// That clock advances with each tick only, and the number of the tick is read without a call. So the helper is
    /// called once a tick. The kernel advances the tick's number before the clock; a program that runs in between keeps
    /// the time of the tick before.
    #[inline(always)]
    pub(crate) fn now(&mut self) -> u64 {
        // SAFETY: the helper has no arguments.
        let tick = unsafe { bpf_jiffies64() };
        if self.tick != tick {
            core::hint::cold_path();
            self.tick = tick;
            // SAFETY: the helper has no arguments.
            self.time = unsafe { bpf_ktime_get_coarse_ns() };
        }
        self.time
    }
}
