//! What the daemon itself uses: processor time and memory.

use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Returns the processor time that this process has used, in milliseconds.
#[must_use]
pub fn cpu_ms() -> u64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    u64::try_from(used.tv_sec * 1000 + used.tv_nsec / 1_000_000).unwrap_or_default()
}

/// Returns the resident memory in bytes, from `/proc/self/statm`; 0 if that cannot be read.
#[must_use]
pub fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok())
        .unwrap_or_default();
    pages * rustix::param::page_size() as u64
}

/// Returns the Unix time at which the process started: now, less the time since `/proc/self/stat`'s start; 0 if that
/// cannot be read. It follows the wall clock, as the value of `node_exporter` does.
#[must_use]
pub fn start_time() -> Duration {
    let ticks = std::fs::read_to_string("/proc/self/stat").ok().and_then(|text| {
        // The second field is the program's name in parentheses, which may hold spaces.
        let (_, fields) = text.rsplit_once(") ")?;
        // proc_pid_stat(5): starttime is field 22, in clock ticks after boot.
        fields.split(' ').nth(22 - 3)?.parse::<u64>().ok()
    });
    let since_boot = clock_gettime(ClockId::Boottime);
    let (Some(ticks), Ok(now)) = (ticks, SystemTime::now().duration_since(UNIX_EPOCH)) else {
        return Duration::ZERO;
    };
    let started = Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second().max(1));
    let since_boot = Duration::try_from(since_boot).unwrap_or_default();
    now.saturating_sub(since_boot.saturating_sub(started))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_started_lately() {
        assert!(resident_bytes() > 100_000);
        let age = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().abs_diff(start_time());
        assert!(age < Duration::from_hours(1), "{age:?}");
    }
}
