//! `streamer`: the daemon's own state.

use super::{FieldWriter, Origin, Row, UnixNanos, signed};
use crate::delivery::Deliveries;
use std::fmt::{self, Write};

/// The daemon's own state. Counts are totals since its start.
#[derive(Debug, Clone)]
pub struct Health<'a> {
    pub time: UnixNanos,
    pub origin: &'a Origin,
    pub uptime_seconds: u64,
    /// `driver`, `generic` or `tcx`; empty while the program is not attached.
    pub mode: &'a str,
    pub sampling: u32,
    pub deliveries: Deliveries,
    /// Resident memory in bytes.
    pub memory: u64,
    /// Processor time of the whole process in milliseconds.
    pub cpu_ms: u64,
}

impl Row for Health<'_> {
    const MEASUREMENT: &'static str = "streamer";

    fn time(&self) -> UnixNanos {
        self.time
    }

    fn fields(&self, to: &mut impl FieldWriter) {
        to.origin(self.origin);
        to.text("version", env!("CARGO_PKG_VERSION"));
        to.text("mode", self.mode);
        to.text("sink", self.deliveries.state.name());
        to.integer("uptime_s", signed(self.uptime_seconds));
        to.integer("sampling", self.sampling.into());
        to.integer("rows_delivered", signed(self.deliveries.delivered));
        to.integer("rows_dropped", signed(self.deliveries.dropped));
        to.integer("rows_refused", signed(self.deliveries.refused));
        to.integer("rows_waiting", signed(self.deliveries.waiting));
        to.integer("pushes", signed(self.deliveries.pushes));
        to.integer("pushes_failed", signed(self.deliveries.failures));
        to.integer("memory_bytes", signed(self.memory));
        to.integer("cpu_ms", signed(self.cpu_ms));
    }

    fn describe(&self, to: &mut impl Write) -> fmt::Result {
        let Deliveries { delivered, dropped, refused, waiting, .. } = self.deliveries;
        write!(
            to,
            "~ {}: {} rows delivered, {dropped} dropped, {refused} refused, {waiting} waiting; 1 of {} shown; {} KiB, {} ms CPU",
            self.deliveries.state.name(),
            delivered,
            self.sampling,
            self.memory / 1024,
            self.cpu_ms
        )
    }
}
