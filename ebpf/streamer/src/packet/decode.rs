//! Turns the kernel's record into a packet.

use super::{Address, Cast, Direction, Fragment, Mac, Packet, Protocol};
use packet_record::{Fault, Flags, Record};
use std::net::IpAddr;

impl From<&Record> for Packet {
    fn from(record: &Record) -> Self {
        let has = |flag| record.flags.contains(flag);
        let is_ip = record.version != 0;
        let tag = |at: usize| (usize::from(record.vlan_tags) > at).then(|| record.vlan[at] & 0x0fff);
        Self {
            time: record.time,
            direction: if has(Flags::SENT) { Direction::Sent } else { Direction::Received },
            has_ethernet: !has(Flags::NO_ETHERNET),
            source_mac: Mac(record.source_mac),
            destination_mac: Mac(record.destination_mac),
            cast: if has(Flags::BROADCAST) {
                Cast::Broadcast
            } else if has(Flags::MULTICAST) {
                Cast::Multicast
            } else {
                Cast::Unicast
            },
            source: record.source().into(),
            destination: record.destination().into(),
            protocol: if is_ip {
                Protocol::Ip(record.protocol)
            } else {
                Protocol::Ethertype(record.ethertype)
            },
            length: if is_ip { record.network_length } else { record.frame_length },
            frame_length: record.frame_length,
            ttl: record.hop_limit,
            version: record.version,
            source_port: record.source_port,
            destination_port: record.destination_port,
            vlan: tag(0),
            inner_vlan: tag(1),
            tcp_flags: has(Flags::TCP_FLAGS).then_some(record.tcp_flags),
            icmp: has(Flags::ICMP).then_some((record.icmp_type, record.icmp_code)),
            arp_operation: has(Flags::ARP).then_some(record.arp_operation),
            fragment: match (has(Flags::FRAGMENT), record.fragment_offset) {
                (false, _) => Fragment::Whole,
                (true, 0) => Fragment::First,
                (true, _) => Fragment::Later,
            },
            fault: record.fault().map_or("", describe),
            sampling: record.ratio,
        }
    }
}

impl From<Option<IpAddr>> for Address {
    fn from(address: Option<IpAddr>) -> Self {
        match address {
            None => Self::None,
            Some(IpAddr::V4(address)) => Self::V4(address),
            Some(IpAddr::V6(address)) => Self::V6(address),
        }
    }
}

const fn describe(fault: Fault) -> &'static str {
    match fault {
        Fault::EthernetTruncated => "Ethernet header truncated",
        Fault::VlanTruncated => "VLAN tag truncated",
        Fault::ArpTruncated => "ARP truncated",
        Fault::Ipv4Truncated => "IPv4 header truncated",
        Fault::Ipv4Version => "IPv4 version not 4",
        Fault::Ipv4HeaderLength => "IPv4 header length below 20",
        Fault::Ipv4TotalLength => "IPv4 total length below header",
        Fault::Ipv6Truncated => "IPv6 header truncated",
        Fault::Ipv6Version => "IPv6 version not 6",
        Fault::Ipv6ExtensionTruncated => "IPv6 extension truncated",
        Fault::Ipv6ExtensionCount => "too many IPv6 extensions",
        Fault::TransportTruncated => "transport header truncated",
        Fault::TcpDataOffset => "TCP data offset below 20",
        Fault::OutOfReach => "headers beyond the first buffer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_that_is_not_ip_has_its_ethertype_and_the_length_of_its_frame() {
        let record = Record {
            ethertype: 0x0806,
            frame_length: 60,
            flags: Flags::ARP | Flags::ARP_ADDRESSES,
            arp_operation: 1,
            source_address: [192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            vlan: [0x2005, 0],
            vlan_tags: 1,
            ratio: 1,
            ..Record::default()
        };
        let packet = Packet::from(&record);
        assert_eq!((packet.protocol, packet.length, packet.version), (Protocol::ARP, 60, 0));
        assert_eq!((packet.vlan, packet.inner_vlan, packet.arp_operation), (Some(5), None, Some(1)));
        assert_eq!(packet.source, Address::V4([192, 0, 2, 1].into()));
        assert_eq!((packet.tcp_flags, packet.icmp, packet.fragment), (None, None, Fragment::Whole));
    }

    #[test]
    fn first_and_later_fragments_differ() {
        let later = Record { flags: Flags::FRAGMENT, fragment_offset: 1480, ..Record::default() };
        let first = Record { flags: Flags::FRAGMENT | Flags::MORE_FRAGMENTS, ..Record::default() };
        assert_eq!(
            [first, later].map(|record| Packet::from(&record).fragment),
            [Fragment::First, Fragment::Later]
        );
    }

    #[test]
    fn every_fault_has_a_description() {
        for fault in Fault::ALL {
            let record = Record { fault: fault as u8, ..Record::default() };
            assert_ne!(Packet::from(&record).fault, "");
        }
    }
}
