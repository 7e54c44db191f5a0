//! `packet_rate`: exact totals of an interval, from the kernel's counters.

use super::{FieldWriter, Origin, Row, UnixNanos, signed};
use crate::counters;
use packet_record::Counters;
use std::fmt::{self, Write};

/// What passed in one interval. `packets = shown + sampled_out + lost + self_packets` holds exactly.
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

    /// `count` in this interval as so many a second, rounded.
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
        to.integer(field!("interval_ms"), signed(self.interval / 1_000_000));
        to.integer(field!("packets_per_second"), signed(self.packets_per_second()));
        to.integer(
            field!("bits_per_second"),
            signed(self.per_second(self.counters.seen().bytes.saturating_mul(8))),
        );
        counters::each(self.counters, |field, value| to.integer(field, signed(value)));
        to.integer(field!("sampling"), self.sampling.into());
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
        counters::each(self.counters, |field, value| {
            if value > 0 && result.is_ok() {
                result = write!(to, "{separator}{} {value}", field.name);
                separator = ", ";
            }
        });
        result
    }
}
