//! The kernel's counters by name, and what they grew by.

use packet_record::{Counters, PROTOCOLS, Traffic};

/// The names of [`packet_record::Protocol`]'s classes, for packets and for bytes.
const CLASSES: [(&str, &str); PROTOCOLS] = [
    ("other_ethernet", "other_ethernet_bytes"),
    ("arp", "arp_bytes"),
    ("other_ipv4", "other_ipv4_bytes"),
    ("icmp", "icmp_bytes"),
    ("igmp", "igmp_bytes"),
    ("tcp_ipv4", "tcp_ipv4_bytes"),
    ("udp_ipv4", "udp_ipv4_bytes"),
    ("sctp_ipv4", "sctp_ipv4_bytes"),
    ("other_ipv6", "other_ipv6_bytes"),
    ("icmpv6", "icmpv6_bytes"),
    ("tcp_ipv6", "tcp_ipv6_bytes"),
    ("udp_ipv6", "udp_ipv6_bytes"),
    ("sctp_ipv6", "sctp_ipv6_bytes"),
];

/// Visits every counter, always in the same order.
pub fn each(counters: &Counters, mut visit: impl FnMut(&'static str, u64)) {
    visit("packets", counters.seen.packets);
    visit("bytes", counters.seen.bytes);
    visit("shown", counters.shown);
    visit("sampled_out", counters.sampled_out);
    visit("lost", counters.lost);
    visit("self_packets", counters.own.packets);
    visit("self_bytes", counters.own.bytes);
    visit("malformed", counters.malformed);
    visit("multicast", counters.multicast);
    visit("broadcast", counters.broadcast);
    visit("untracked_packets", counters.untracked.packets);
    visit("untracked_bytes", counters.untracked.bytes);
    for ((packets, bytes), traffic) in CLASSES.into_iter().zip(counters.protocols) {
        visit(packets, traffic.packets);
        visit(bytes, traffic.bytes);
    }
}

/// The classes' names beside their traffic.
pub fn classes(counters: &Counters) -> impl Iterator<Item = (&'static str, Traffic)> {
    CLASSES.into_iter().map(|(name, _)| name).zip(counters.protocols)
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
        own: traffic(now.own, before.own),
        malformed: now.malformed.wrapping_sub(before.malformed),
        multicast: now.multicast.wrapping_sub(before.multicast),
        broadcast: now.broadcast.wrapping_sub(before.broadcast),
        untracked: traffic(now.untracked, before.untracked),
        protocols: std::array::from_fn(|class| traffic(now.protocols[class], before.protocols[class])),
        seen: traffic(now.seen, before.seen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_and_sum_are_inverse() {
        let before = Counters { shown: 3, seen: Traffic { packets: 3, bytes: 180 }, ..Counters::default() };
        let more = Counters {
            sampled_out: 2,
            protocols: [Traffic { packets: 2, bytes: 120 }; PROTOCOLS],
            seen: Traffic { packets: 2, bytes: 120 },
            ..Counters::default()
        };
        let mut now = before;
        now += more;
        assert_eq!(growth(&now, &before), more);
    }

    #[test]
    fn every_class_has_its_place() {
        assert_eq!(CLASSES[packet_record::Protocol::UdpIpv6 as usize].0, "udp_ipv6");
        assert_eq!(CLASSES[packet_record::Protocol::Igmp as usize].0, "igmp");
        assert_eq!(CLASSES[packet_record::Protocol::OtherIpv6 as usize].0, "other_ipv6");
    }
}
