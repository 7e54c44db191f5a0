//! Flows: who talks to whom, and the largest of them in an interval.

use crate::packet::{Address, Protocol};
use crate::privacy::Privacy;
use packet_record::{FlowKey, Traffic};
use std::collections::HashMap;

/// One direction of a conversation, as it may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flow {
    pub source: Address,
    pub destination: Address,
    pub protocol: Protocol,
    pub source_port: u16,
    pub destination_port: u16,
}

/// What a flow carried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Volume {
    pub packets: u64,
    pub bytes: u64,
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
    /// The flow as it may be shown.
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
}

/// A flow without traffic for so many readings is forgotten, here and in the kernel's map.
const IDLE_READINGS: u8 = 30;

/// What was read of the kernel's map the last time. As bounded as that map.
#[derive(Debug, Default)]
pub struct Flows {
    known: HashMap<FlowKey, Known>,
}

#[derive(Debug)]
struct Known {
    total: Traffic,
    idle: u8,
}

/// What one reading of the map shows.
#[derive(Debug, Default)]
pub struct Reading {
    /// The largest flows by bytes, the largest first.
    pub largest: Vec<(Flow, Volume)>,
    /// Keys to remove from the kernel's map.
    pub stale: Vec<FlowKey>,
}

impl Flows {
    /// Compares `entries`, the whole of the kernel's map, with the last reading and picks the `count` largest.
    ///
    /// Flows that `privacy` makes equal are added up first.
    pub fn read(
        &mut self,
        entries: impl IntoIterator<Item = (FlowKey, Traffic)>,
        count: usize,
        privacy: &Privacy,
    ) -> Reading {
        let mut reading = Reading::default();
        let mut grown: HashMap<Flow, Volume> = HashMap::new();
        for (key, total) in entries {
            let known = self.known.entry(key).or_insert(Known { total: Traffic::default(), idle: 0 });
            // A total below the last one: the kernel's entry was made anew.
            let fresh = total.packets < known.total.packets;
            let before = if fresh { Traffic::default() } else { known.total };
            let packets = total.packets - before.packets;
            let bytes = total.bytes.saturating_sub(before.bytes);
            known.total = total;
            if packets == 0 {
                known.idle += 1;
                if known.idle >= IDLE_READINGS {
                    self.known.remove(&key);
                    reading.stale.push(key);
                }
                continue;
            }
            known.idle = 0;
            let volume = grown.entry(Flow::from(&key).under(privacy)).or_default();
            volume.packets += packets;
            volume.bytes += bytes;
        }
        reading.largest = grown.into_iter().collect();
        // Equal volumes in the flows' own order, so that a reading's order is no accident.
        reading.largest.sort_unstable_by(|a, b| b.1.bytes.cmp(&a.1.bytes).then(a.0.cmp(&b.0)));
        reading.largest.truncate(count);
        reading
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(last: u8, port: u16) -> FlowKey {
        FlowKey {
            source_address: [10, 0, 0, last, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            destination_address: [10, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            source_port: port,
            destination_port: 53,
            protocol: 17,
            version: 4,
            reserved: 0,
        }
    }

    fn traffic(packets: u64) -> Traffic {
        Traffic { packets, bytes: packets * 100 }
    }

    fn volumes(reading: &Reading) -> Vec<(String, u16, u64)> {
        let line = |(flow, volume): &(Flow, Volume)| {
            (flow.source.text().to_string(), flow.source_port, volume.packets)
        };
        reading.largest.iter().map(line).collect()
    }

    #[test]
    fn the_largest_come_first_and_only_growth_counts() {
        let mut flows = Flows::default();
        let plain = Privacy::default();
        flows.read([(key(1, 1), traffic(50)), (key(2, 1), traffic(9))], 10, &plain);
        let second = flows.read(
            [(key(1, 1), traffic(51)), (key(2, 1), traffic(19)), (key(3, 1), traffic(5))],
            2,
            &plain,
        );
        assert_eq!(volumes(&second), [("10.0.0.2".into(), 1, 10), ("10.0.0.3".into(), 1, 5)]);
    }

    #[test]
    fn flows_that_privacy_makes_equal_are_added_up() {
        let mut flows = Flows::default();
        let private = Privacy { ports: false, ..Privacy::default() };
        let reading = flows.read([(key(1, 1), traffic(1)), (key(1, 2), traffic(2))], 10, &private);
        assert_eq!(volumes(&reading), [("10.0.0.1".into(), 0, 3)]);
    }

    #[test]
    fn a_flow_that_stays_silent_is_removed_once() {
        let mut flows = Flows::default();
        let stale: Vec<usize> = (0..=u16::from(IDLE_READINGS))
            .map(|_| flows.read([(key(1, 1), traffic(5))], 10, &Privacy::default()).stale.len())
            .collect();
        assert_eq!((stale.iter().sum::<usize>(), stale.last()), (1, Some(&1)));
        // What starts again from zero is not taken for growth below zero.
        let again = flows.read([(key(1, 1), traffic(2))], 10, &Privacy::default());
        assert_eq!(volumes(&again), [("10.0.0.1".into(), 1, 2)]);
    }
}
