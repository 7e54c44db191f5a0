//! `packet_rate`: the exact totals of an interval, from the kernel's counters.

use super::{FieldWriter, Origin, Row, UnixNanos, signed};
use crate::counters;
use packet_record::Counters;
use std::fmt::{self, Write};

/// The traffic of one interval. `packets = matched + filtered_out + self_packets` and `matched = shown + sampled_out + lost`
/// hold exactly.
#[derive(Debug, Clone, Copy)]
pub struct PacketRate<'a> {
    pub time: UnixNanos,
    pub origin: &'a Origin,
    /// Nanoseconds between the two readings of the counters.
    pub interval: u64,
    pub counters: &'a Counters,
    /// One packet in this many is recorded from now on.
    pub sampling: u32,
}

impl PacketRate<'_> {
    #[must_use]
    pub fn packets_per_second(&self) -> u64 {
        self.per_second(self.counters.seen().packets)
    }

    /// Returns `count` per second, rounded.
    fn per_second(&self, count: u64) -> u64 {
        let scaled = u128::from(count) * 1_000_000_000 + u128::from(self.interval / 2);
        u64::try_from(scaled / u128::from(self.interval.max(1))).unwrap_or(u64::MAX)
    }
}

impl Row for PacketRate<'_> {
    const MEASUREMENT: &'static str = "packet_rate";

    fn time(&self) -> UnixNanos {
        self.time
    }

    fn fields(&self, to: &mut impl FieldWriter) {
        to.origin(self.origin);
        to.integer("interval_ms", signed(self.interval / 1_000_000));
        to.integer("packets_per_second", signed(self.packets_per_second()));
        to.integer("bits_per_second", signed(self.per_second(self.counters.seen().bytes.saturating_mul(8))));
        counters::each(self.counters, |name, value| to.integer(name, signed(value)));
        to.integer("sampling", self.sampling.into());
    }

    fn describe(&self, to: &mut impl Write) -> fmt::Result {
        write!(
            to,
            "= {} packets/s, {} bit/s;",
            self.packets_per_second(),
            self.per_second(self.counters.seen().bytes.saturating_mul(8))
        )?;
        let mut separator = " ";
        let mut result = Ok(());
        counters::each(self.counters, |name, value| {
            if value > 0 && result.is_ok() {
                result = write!(to, "{separator}{name} {value}");
                separator = ", ";
            }
        });
        result
    }
}
