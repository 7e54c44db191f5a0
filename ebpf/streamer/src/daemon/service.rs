//! Notifications for the service manager (`sd_notify(3)`). Without one, nothing is sent.

use super::board::Board;
use sd_notify::NotifyState;
use std::time::{Duration, Instant};

/// How often the status line changes.
const STATUS_EVERY: Duration = Duration::from_secs(10);

/// Sends the heartbeat of the watchdog and the status line.
#[derive(Debug)]
pub(super) struct Service {
    watchdog: Option<Duration>,
    last_beat: Instant,
    last_status: Option<Instant>,
}

impl Service {
    pub(super) fn new() -> Self {
        Self { watchdog: sd_notify::watchdog_enabled(), last_beat: Instant::now(), last_status: None }
    }

    /// Announces that the daemon has started.
    pub(super) fn ready() {
        notify(&[NotifyState::Ready]);
    }

    pub(super) fn stopping() {
        notify(&[NotifyState::Stopping]);
    }

    /// Sends a heartbeat if one is due. Each stream calls this once a second. If one stream hangs, no heartbeat is sent.
    pub(super) fn beat(&mut self, board: &Board) {
        if let Some(every) = self.watchdog
            && self.last_beat.elapsed() >= every / 3
            && board.is_fresh()
        {
            self.last_beat = Instant::now();
            notify(&[NotifyState::Watchdog]);
        }
        if self.last_status.is_none_or(|last| last.elapsed() >= STATUS_EVERY) {
            self.last_status = Some(Instant::now());
            notify(&[NotifyState::Status(&status(board))]);
        }
    }
}

fn status(board: &Board) -> String {
    let lines = board.reports().into_iter().map(|report| {
        let mode = if report.mode.is_empty() { "not attached" } else { report.mode };
        format!(
            "{}: {mode}, {} packets/s, 1 of {} shown, {}",
            report.origin.interface(),
            report.packets_per_second,
            report.sampling,
            report.queue.deliveries().state.name()
        )
    });
    lines.collect::<Vec<_>>().join("; ")
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log::debug!("cannot notify the service manager: {error}");
    }
}
