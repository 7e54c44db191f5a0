//! `top_talkers`: the largest conversations of an interval.

use super::{FieldWriter, Origin, Row, UnixNanos, signed};
use crate::flow::{Flow, Volume};
use std::fmt::{self, Write};

/// One conversation and its rank: 1 for the one with the most bytes in both directions.
#[derive(Debug, Clone, Copy)]
pub struct TopTalker<'a> {
    pub time: UnixNanos,
    pub origin: &'a Origin,
    /// Length in nanoseconds of the interval that `volume` belongs to.
    pub interval: u64,
    pub rank: usize,
    pub flow: &'a Flow,
    pub volume: Volume,
    /// The times of the first and the last known packet of the conversation.
    pub first_seen: UnixNanos,
    pub last_seen: UnixNanos,
}

impl Row for TopTalker<'_> {
    const MEASUREMENT: &'static str = "top_talkers";

    fn time(&self) -> UnixNanos {
        self.time
    }

    fn fields(&self, to: &mut impl FieldWriter) {
        to.integer("rank", i64::try_from(self.rank).unwrap_or(i64::MAX));
        to.text("source_ip", self.flow.source.text().as_str());
        to.text("destination_ip", self.flow.destination.text().as_str());
        to.text("protocol", self.flow.protocol.name().as_str());
        to.integer("source_port", self.flow.source_port.into());
        to.integer("destination_port", self.flow.destination_port.into());
        to.integer("packets", signed(self.volume.packets));
        to.integer("bytes", signed(self.volume.bytes));
        to.integer("interval_ms", signed(self.interval / 1_000_000));
        to.origin(self.origin);
        to.integer("reply_packets", signed(self.volume.reply_packets));
        to.integer("reply_bytes", signed(self.volume.reply_bytes));
        to.integer("first_seen_ms", self.first_seen / 1_000_000);
        to.integer("last_seen_ms", self.last_seen / 1_000_000);
    }

    fn describe(&self, to: &mut impl Write) -> fmt::Result {
        write!(
            to,
            "#{} {} {} port {} -> {} port {}: {} packets, {} B; back {} packets, {} B",
            self.rank,
            self.flow.protocol.name(),
            self.flow.source.text(),
            self.flow.source_port,
            self.flow.destination.text(),
            self.flow.destination_port,
            self.volume.packets,
            self.volume.bytes,
            self.volume.reply_packets,
            self.volume.reply_bytes
        )
    }
}
