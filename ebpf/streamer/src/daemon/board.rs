//! The last report of each stream, for metrics and the service manager.

use crate::delivery::Queue;
use crate::flow::{Flow, Volume};
use crate::row::Origin;
use packet_record::Counters;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A stream whose report is older than this hangs.
const FRESH: Duration = Duration::from_secs(5);

/// The reports of all streams.
#[derive(Debug, Default)]
pub(super) struct Board(Mutex<Vec<Report>>);

/// The last report of one stream.
#[derive(Debug, Clone)]
pub(super) struct Report {
    pub(super) origin: Origin,
    pub(super) counters: Counters,
    pub(super) packets_per_second: u64,
    /// Empty while the program is not attached.
    pub(super) mode: &'static str,
    pub(super) sampling: u32,
    /// The largest flows of the last second.
    pub(super) talkers: Vec<(Flow, Volume)>,
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

    /// Removes the report of a stream that has ended.
    pub(super) fn remove(&self, origin: &Origin) {
        self.lock().retain(|report| report.origin != *origin);
    }

    pub(super) fn reports(&self) -> Vec<Report> {
        self.lock().clone()
    }

    /// Returns whether every stream has reported lately.
    pub(super) fn is_fresh(&self) -> bool {
        self.lock().iter().all(|report| report.at.elapsed() < FRESH)
    }
}
