//! What the streams last said of themselves: for metrics and the service manager.

use crate::delivery::Queue;
use crate::row::Origin;
use packet_record::Counters;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A report that is older than this is a stream that hangs.
const FRESH: Duration = Duration::from_secs(5);

/// All streams' reports.
#[derive(Debug, Default)]
pub(super) struct Board(Mutex<Vec<Report>>);

/// One stream's last report.
#[derive(Debug, Clone)]
pub(super) struct Report {
    pub(super) origin: Origin,
    pub(super) counters: Counters,
    pub(super) packets_per_second: u64,
    /// Empty while the interface is away.
    pub(super) mode: &'static str,
    pub(super) sampling: u32,
    pub(super) queue: Arc<Queue>,
    pub(super) at: Instant,
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, Vec<Report>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn put(&self, report: Report) {
        let mut reports = self.lock();
        match reports.iter_mut().find(|known| known.origin == report.origin) {
            Some(known) => *known = report,
            None => reports.push(report),
        }
    }

    pub(super) fn reports(&self) -> Vec<Report> {
        self.lock().clone()
    }

    /// Whether every stream reported lately.
    pub(super) fn is_fresh(&self) -> bool {
        self.lock().iter().all(|report| report.at.elapsed() < FRESH)
    }
}
