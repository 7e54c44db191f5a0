//! What a process and the kernel's own threads have used so far.
#![allow(dead_code, reason = "benchmarks need different parts")]

use std::fs;
use std::path::Path;
use std::time::Duration;

/// What all threads of a process have used so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    pub(crate) cpu_ns: u64,
    pub(crate) wakeups: u64,
}

impl Usage {
    pub(crate) fn of(process: u32) -> Self {
        let mut usage = Self::default();
        for task in fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
            usage.add(&task.path());
        }
        usage
    }

    /// Returns what the kernel's threads for softirqs have used, where the network stack goes on when a sender's own time is not
    /// enough.
    pub(crate) fn of_softirqs() -> Self {
        let mut usage = Self::default();
        for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            if name.starts_with("ksoftirqd/") {
                usage.add(&process.path());
            }
        }
        usage
    }

    fn add(&mut self, task: &Path) {
        let read = |name: &str| fs::read_to_string(task.join(name)).unwrap_or_default();
        let first = |text: &str| text.split_whitespace().next().and_then(|word| word.parse::<u64>().ok());
        self.cpu_ns += first(&read("schedstat")).unwrap_or_default();
        let status = read("status");
        let switches = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        self.wakeups += switches.and_then(first).unwrap_or_default();
    }

    pub(crate) fn since(self, before: Self) -> Self {
        // The figures of a thread that has ended are gone.
        Self {
            cpu_ns: self.cpu_ns.saturating_sub(before.cpu_ns),
            wakeups: self.wakeups.saturating_sub(before.wakeups),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    pub(crate) fn cpu_percent(self, time: Duration) -> f64 {
        self.cpu_ns as f64 / time.as_nanos() as f64 * 100.0
    }
}

/// Returns the resident memory of a process.
pub(crate) fn resident_mib(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|word| word.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}
