//! Flows and conversations: who talks to whom, and the largest conversations of an interval.

use crate::packet::{Address, Protocol};
use crate::privacy::Privacy;
use packet_record::{FlowEntry, FlowKey, Traffic};
use packet_ring::{Flows, Size};
use std::collections::HashMap;
use std::io;

/// The two ends of a conversation, as they may be shown. The source is the end whose packet was seen first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flow {
    pub source: Address,
    pub destination: Address,
    pub protocol: Protocol,
    pub source_port: u16,
    pub destination_port: u16,
}

/// The traffic of a conversation in an interval, and when it was seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Volume {
    /// From the source to the destination.
    pub packets: u64,
    pub bytes: u64,
    /// From the destination to the source.
    pub reply_packets: u64,
    pub reply_bytes: u64,
    /// The time of the first packet that is known, in nanoseconds of `CLOCK_MONOTONIC`.
    pub first_seen: u64,
    /// The time of the last packet.
    pub last_seen: u64,
}

impl Volume {
    /// Returns the packets of both directions.
    #[must_use]
    pub const fn all_packets(&self) -> u64 {
        self.packets.saturating_add(self.reply_packets)
    }

    /// Returns the bytes of both directions.
    #[must_use]
    pub const fn all_bytes(&self) -> u64 {
        self.bytes.saturating_add(self.reply_bytes)
    }
}

impl From<&FlowKey> for Flow {
    fn from(key: &FlowKey) -> Self {
        Self {
            source: key.source().into(),
            destination: key.destination().into(),
            protocol: Protocol::Ip(key.protocol),
            source_port: key.source_port,
            destination_port: key.destination_port,
        }
    }
}

impl Flow {
    /// Returns the flow as it may be shown.
    fn under(self, privacy: &Privacy) -> Self {
        let port = |port| if privacy.ports { port } else { 0 };
        Self {
            source: privacy.address(self.source),
            destination: privacy.address(self.destination),
            source_port: port(self.source_port),
            destination_port: port(self.destination_port),
            ..self
        }
    }

    /// Returns the flow in the other direction.
    const fn reversed(self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            source_port: self.destination_port,
            destination_port: self.source_port,
            ..self
        }
    }
}

/// A flow of the kernel's table, and what it grew by since the last reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowGrowth {
    pub key: FlowKey,
    pub grown: Traffic,
    pub first_seen: u64,
    pub last_seen: u64,
}

/// Reads the kernel's flow tables, and knows what it has read before.
#[derive(Debug)]
pub struct FlowReader {
    tables: Flows,
    cpus: usize,
    ledger: Ledger,
}

impl FlowReader {
    #[must_use]
    pub fn new(tables: Flows, size: Size) -> Self {
        Self { tables, cpus: size.cpus(), ledger: Ledger::default() }
    }

    /// Returns all flows. `counted` is what the program has added to flows up to now.
    pub fn read(&mut self, counted: Traffic) -> io::Result<Vec<FlowGrowth>> {
        let mut flows = Vec::new();
        // Without new packets the tables are as before.
        if counted.packets == self.ledger.counted.packets {
            return Ok(flows);
        }
        let limit = counted.packets.saturating_sub(self.ledger.attributed.packets);
        for cpu in 0..self.cpus {
            let ledger = &mut self.ledger;
            self.tables.read(cpu, |slot, entry| flows.extend(ledger.growth(slot, entry, limit)))?;
        }
        self.ledger.close(counted);
        Ok(flows)
    }

    /// Returns the packets of flows that lost their place in the table before they were read.
    #[must_use]
    pub const fn untracked(&self) -> Traffic {
        self.ledger.untracked
    }
}

/// What is known of each place in the flow tables.
#[derive(Debug, Default)]
struct Ledger {
    places: HashMap<u32, Place>,
    /// The packets that the program had added to flows at the last reading.
    counted: Traffic,
    /// The packets that some reading has found in a flow.
    attributed: Traffic,
    untracked: Traffic,
}

#[derive(Debug)]
struct Place {
    /// The number of the flow, which the next flow in this place does not have.
    number: u32,
    total: Traffic,
}

/// More packets in one reading than the counters have are a torn copy, except for those that arrive while it is made.
const ARRIVING: u64 = 1 << 20;

impl Ledger {
    /// Returns a flow's growth since the last reading, in which there may be `limit` packets. A torn copy is left for the
    /// next reading.
    fn growth(&mut self, slot: u32, entry: &FlowEntry, limit: u64) -> Option<FlowGrowth> {
        let total = Traffic { packets: entry.packets, bytes: entry.bytes };
        let before = match self.places.get(&slot) {
            Some(place) if place.number == entry.number && place.total.packets <= total.packets => {
                place.total
            }
            _ => Traffic::default(),
        };
        let grown = Traffic {
            packets: total.packets - before.packets,
            bytes: total.bytes.saturating_sub(before.bytes),
        };
        if grown.packets > limit.saturating_add(ARRIVING) {
            return None;
        }
        self.places.insert(slot, Place { number: entry.number, total });
        self.attributed += grown;
        let FlowEntry { key, first_seen, last_seen, .. } = *entry;
        Some(FlowGrowth { key, grown, first_seen, last_seen })
    }

    /// Ends a reading: what was counted and not found in any flow is untracked.
    fn close(&mut self, counted: Traffic) {
        self.counted = counted;
        let rest =
            |counted: u64, attributed: u64, before: u64| counted.saturating_sub(attributed).max(before);
        self.untracked = Traffic {
            packets: rest(counted.packets, self.attributed.packets, self.untracked.packets),
            bytes: rest(counted.bytes, self.attributed.bytes, self.untracked.bytes),
        };
    }
}

/// One direction of a conversation.
#[derive(Debug, Clone, Copy, Default)]
struct Side {
    grown: Traffic,
    /// Zero if there was no packet in this direction.
    first_seen: u64,
    last_seen: u64,
}

impl Side {
    fn add(&mut self, flow: &FlowGrowth) {
        self.grown += flow.grown;
        self.first_seen =
            if self.first_seen == 0 { flow.first_seen } else { self.first_seen.min(flow.first_seen) };
        self.last_seen = self.last_seen.max(flow.last_seen);
    }
}

/// Returns the `count` largest conversations by the bytes of both directions, the largest first.
///
/// Flows that `privacy` makes equal are one conversation.
#[must_use]
pub fn largest(flows: &[FlowGrowth], count: usize, privacy: &Privacy) -> Vec<(Flow, Volume)> {
    let mut conversations: HashMap<Flow, [Side; 2]> = HashMap::new();
    for growth in flows {
        let flow = Flow::from(&growth.key).under(privacy);
        let reversed = flow.reversed();
        let (ends, side) = if flow <= reversed { (flow, 0) } else { (reversed, 1) };
        conversations.entry(ends).or_default()[side].add(growth);
    }
    let mut largest: Vec<(Flow, Volume)> = conversations
        .into_iter()
        .filter(|(_, sides)| sides.iter().any(|side| side.grown.packets > 0))
        .map(|(ends, [forward, backward])| {
            if comes_first(&backward, &forward, ends.reversed()) {
                (ends.reversed(), volume(&backward, &forward))
            } else {
                (ends, volume(&forward, &backward))
            }
        })
        .collect();
    // Conversations of the same size come in the order of their ends, so that the order is the same in each reading.
    largest.sort_unstable_by(|a, b| b.1.all_bytes().cmp(&a.1.all_bytes()).then(a.0.cmp(&b.0)));
    largest.truncate(count);
    largest
}

/// Returns whether this side, which has the ends of `flow`, began the conversation. Within a tick of the clock that cannot be
/// known: then it is the side with the higher source port, which is usually the client's.
fn comes_first(side: &Side, other: &Side, flow: Flow) -> bool {
    match (side.first_seen, other.first_seen) {
        (0, _) => false,
        (_, 0) => true,
        (first, second) if first == second => flow.source_port > flow.destination_port,
        (first, second) => first < second,
    }
}

fn volume(side: &Side, reply: &Side) -> Volume {
    let first_seen = match reply.first_seen {
        0 => side.first_seen,
        first => side.first_seen.min(first),
    };
    Volume {
        packets: side.grown.packets,
        bytes: side.grown.bytes,
        reply_packets: reply.grown.packets,
        reply_bytes: reply.grown.bytes,
        first_seen,
        last_seen: side.last_seen.max(reply.last_seen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(source: u8, destination: u8, source_port: u16, destination_port: u16) -> FlowKey {
        let address = |last| [10, 0, 0, last, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        FlowKey {
            source_address: address(source),
            destination_address: address(destination),
            source_port,
            destination_port,
            protocol: 17,
            version: 4,
            reserved: 0,
        }
    }

    fn growth(key: FlowKey, packets: u64, first_seen: u64) -> FlowGrowth {
        FlowGrowth {
            key,
            grown: Traffic { packets, bytes: packets * 100 },
            first_seen,
            last_seen: first_seen + 9,
        }
    }

    fn lines(largest: &[(Flow, Volume)]) -> Vec<String> {
        let line = |(flow, volume): &(Flow, Volume)| {
            format!(
                "{}:{} -> {}:{} {} {} {}..{}",
                flow.source.text(),
                flow.source_port,
                flow.destination.text(),
                flow.destination_port,
                volume.packets,
                volume.reply_packets,
                volume.first_seen,
                volume.last_seen
            )
        };
        largest.iter().map(line).collect()
    }

    #[test]
    fn both_directions_are_one_conversation() {
        let flows = [
            growth(key(1, 2, 53, 4000), 5, 20),
            growth(key(2, 1, 4000, 53), 3, 10),
            growth(key(3, 1, 1, 1), 7, 5),
            growth(key(4, 1, 1, 1), 0, 5),
        ];
        // The one who was seen first is the source, whichever address is lower.
        let expected = ["10.0.0.2:4000 -> 10.0.0.1:53 3 5 10..29", "10.0.0.3:1 -> 10.0.0.1:1 7 0 5..14"];
        assert_eq!(lines(&largest(&flows, 10, &Privacy::default())), expected);
        assert_eq!(lines(&largest(&flows, 1, &Privacy::default())), expected[..1]);
    }

    #[test]
    fn a_silent_side_keeps_its_role() {
        // The client was seen first, and only the server sends in this interval.
        let flows = [growth(key(2, 1, 4000, 53), 0, 10), growth(key(1, 2, 53, 4000), 5, 10)];
        let expected = ["10.0.0.2:4000 -> 10.0.0.1:53 0 5 10..19"];
        assert_eq!(lines(&largest(&flows, 10, &Privacy::default())), expected);
    }

    #[test]
    fn flows_that_privacy_makes_equal_are_added_up() {
        let private = Privacy { ports: false, ..Privacy::default() };
        let flows = [growth(key(1, 2, 1, 9), 1, 4), growth(key(1, 2, 2, 9), 2, 3)];
        assert_eq!(lines(&largest(&flows, 10, &private)), ["10.0.0.1:0 -> 10.0.0.2:0 3 0 3..13"]);
    }

    fn entry(number: u32, packets: u64) -> FlowEntry {
        FlowEntry {
            number,
            number_again: number,
            packets,
            bytes: packets.wrapping_mul(100),
            ..FlowEntry::default()
        }
    }

    #[test]
    fn only_growth_counts_and_a_replaced_flow_begins_again() {
        let mut ledger = Ledger::default();
        let mut grown = |slot, entry| ledger.growth(slot, &entry, 1000).map(|growth| growth.grown.packets);
        assert_eq!(grown(7, entry(1, 50)), Some(50));
        assert_eq!(grown(7, entry(1, 51)), Some(1));
        assert_eq!(grown(7, entry(2, 60)), Some(60), "another flow in the same place");
        assert_eq!(grown(8, entry(3, u64::MAX)), None, "a torn copy");
        ledger.close(Traffic { packets: 115, bytes: 11_500 });
        assert_eq!(ledger.untracked, Traffic { packets: 4, bytes: 400 });
        // Packets that arrived after the counters were read do not take anything back.
        ledger.growth(9, &entry(4, 10), 1000);
        ledger.close(Traffic { packets: 115, bytes: 11_500 });
        assert_eq!(ledger.untracked, Traffic { packets: 4, bytes: 400 });
    }
}
