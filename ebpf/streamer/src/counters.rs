//! The kernel's counters by name, and their growth.

use packet_record::{Counters, PROTOCOLS, Traffic};

/// The field names of each [`packet_record::Protocol`], for packets and for bytes.
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
    visit("packets", counters.seen().packets);
    visit("bytes", counters.seen().bytes);
    visit("shown", counters.shown);
    visit("sampled_out", counters.sampled_out);
    visit("lost", counters.lost);
    visit("filtered_out", counters.filtered_out);
    visit("matched", counters.matched());
    visit("self_packets", counters.self_traffic.packets);
    visit("self_bytes", counters.self_traffic.bytes);
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

/// Returns the traffic of each protocol with the protocol's name.
pub fn classes(counters: &Counters) -> impl Iterator<Item = (&'static str, Traffic)> {
    CLASSES.into_iter().map(|(packets, _)| packets).zip(counters.protocols)
}

/// Returns what was counted between the readings `before` and `now`.
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
        filtered_out: now.filtered_out.wrapping_sub(before.filtered_out),
        self_traffic: traffic(now.self_traffic, before.self_traffic),
        malformed: now.malformed.wrapping_sub(before.malformed),
        multicast: now.multicast.wrapping_sub(before.multicast),
        broadcast: now.broadcast.wrapping_sub(before.broadcast),
        flows: traffic(now.flows, before.flows),
        untracked: traffic(now.untracked, before.untracked),
        protocols: std::array::from_fn(|class| traffic(now.protocols[class], before.protocols[class])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_the_inverse_of_addition() {
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
    fn every_protocol_has_its_own_name() {
        assert_eq!(CLASSES[packet_record::Protocol::UdpIpv6 as usize].0, "udp_ipv6");
        assert_eq!(CLASSES[packet_record::Protocol::Igmp as usize].0, "igmp");
        assert_eq!(CLASSES[packet_record::Protocol::OtherIpv6 as usize].0, "other_ipv6");
    }
}
