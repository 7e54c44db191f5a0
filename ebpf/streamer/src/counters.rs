//! The kernel's counters by name, and what they grew by.

use crate::row::{Field, field};
use packet_record::{Counters, PROTOCOLS, Traffic};

/// The names of [`packet_record::Protocol`]'s classes, for packets and for bytes.
const CLASSES: [(Field, Field); PROTOCOLS] = [
    (field!("other_ethernet"), field!("other_ethernet_bytes")),
    (field!("arp"), field!("arp_bytes")),
    (field!("other_ipv4"), field!("other_ipv4_bytes")),
    (field!("icmp"), field!("icmp_bytes")),
    (field!("igmp"), field!("igmp_bytes")),
    (field!("tcp_ipv4"), field!("tcp_ipv4_bytes")),
    (field!("udp_ipv4"), field!("udp_ipv4_bytes")),
    (field!("sctp_ipv4"), field!("sctp_ipv4_bytes")),
    (field!("other_ipv6"), field!("other_ipv6_bytes")),
    (field!("icmpv6"), field!("icmpv6_bytes")),
    (field!("tcp_ipv6"), field!("tcp_ipv6_bytes")),
    (field!("udp_ipv6"), field!("udp_ipv6_bytes")),
    (field!("sctp_ipv6"), field!("sctp_ipv6_bytes")),
];

/// Visits every counter, always in the same order.
pub fn each(counters: &Counters, mut visit: impl FnMut(Field, u64)) {
    visit(field!("packets"), counters.seen().packets);
    visit(field!("bytes"), counters.seen().bytes);
    visit(field!("shown"), counters.shown);
    visit(field!("sampled_out"), counters.sampled_out);
    visit(field!("lost"), counters.lost);
    visit(field!("self_packets"), counters.self_traffic.packets);
    visit(field!("self_bytes"), counters.self_traffic.bytes);
    visit(field!("malformed"), counters.malformed);
    visit(field!("multicast"), counters.multicast);
    visit(field!("broadcast"), counters.broadcast);
    visit(field!("untracked_packets"), counters.untracked.packets);
    visit(field!("untracked_bytes"), counters.untracked.bytes);
    for ((packets, bytes), traffic) in CLASSES.into_iter().zip(counters.protocols) {
        visit(packets, traffic.packets);
        visit(bytes, traffic.bytes);
    }
}

/// The classes' names beside their traffic.
pub fn classes(counters: &Counters) -> impl Iterator<Item = (&'static str, Traffic)> {
    CLASSES.into_iter().map(|(packets, _)| packets.name).zip(counters.protocols)
}

/// What `now` counts more than `before`.
#[must_use]
pub fn growth(now: &Counters, before: &Counters) -> Counters {
    let traffic = |now: Traffic, before: Traffic| Traffic {
        packets: now.packets.wrapping_sub(before.packets),
        bytes: now.bytes.wrapping_sub(before.bytes),
    };
    Counters {
        shown: now.shown.wrapping_sub(before.shown),
        sampled_out: now.sampled_out.wrapping_sub(before.sampled_out),
        lost: now.lost.wrapping_sub(before.lost),
        self_traffic: traffic(now.self_traffic, before.self_traffic),
        malformed: now.malformed.wrapping_sub(before.malformed),
        multicast: now.multicast.wrapping_sub(before.multicast),
        broadcast: now.broadcast.wrapping_sub(before.broadcast),
        untracked: traffic(now.untracked, before.untracked),
        protocols: std::array::from_fn(|class| traffic(now.protocols[class], before.protocols[class])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_and_sum_are_inverse() {
        let before = Counters { shown: 3, malformed: 1, ..Counters::default() };
        let more = Counters {
            sampled_out: 2,
            protocols: [Traffic { packets: 2, bytes: 120 }; PROTOCOLS],
            ..Counters::default()
        };
        let mut now = before;
        now += more;
        assert_eq!(growth(&now, &before), more);
    }

    #[test]
    fn every_class_has_its_place() {
        assert_eq!(CLASSES[packet_record::Protocol::UdpIpv6 as usize].0.name, "udp_ipv6");
        assert_eq!(CLASSES[packet_record::Protocol::Igmp as usize].0.name, "igmp");
        assert_eq!(CLASSES[packet_record::Protocol::OtherIpv6 as usize].0.name, "other_ipv6");
    }
}
