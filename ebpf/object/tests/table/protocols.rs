//! The simplest packet of each protocol.

use crate::expectation::{DATA, Reading, TCP, UDP, four, framed, ports, tcp_flags, version4, version6};
use crate::packets::{
    self, ARP, GROUP_MAC, IPV4, IPV6, Ipv4, V4_DESTINATION, V4_SOURCE, arp, ethernet, ethernet_to, icmp,
    ipv6, sctp, tcp, udp,
};
use packet_record::{Flags, Protocol, Record};

#[test]
fn each_protocol() {
    let mut reading = Reading::new("each protocol in the kernel");

    let packet = packets::ssdp();
    let multicast = Record {
        destination_mac: GROUP_MAC,
        source_port: 50085,
        destination_port: 1900,
        flags: Flags::PORTS | Flags::MULTICAST,
        ..version4(&packet, UDP, Protocol::UdpIpv4)
    };
    assert_eq!((multicast.frame_length, multicast.network_length), (143, 129));
    reading.expect("the SSDP packet", &packet, multicast);

    // Data offset 5, a reserved bit, and all nine flags.
    let packet = ethernet(IPV4, &Ipv4::of(TCP).before(&tcp(1234, 53, 0x53ff, &DATA)));
    let expected = tcp_flags(0x1ff, ports(version4(&packet, TCP, Protocol::TcpIpv4)));
    reading.expect("TCP", &packet, expected);

    let packet = ethernet(IPV4, &Ipv4::of(132).before(&sctp(1234, 53)));
    reading.expect("SCTP", &packet, ports(version4(&packet, 132, Protocol::SctpIpv4)));

    let packet = ethernet(IPV4, &Ipv4::of(1).before(&icmp(3, 4)));
    let expected =
        Record { icmp_type: 3, icmp_code: 4, flags: Flags::ICMP, ..version4(&packet, 1, Protocol::Icmp) };
    reading.expect("ICMP", &packet, expected);

    let packet = ethernet(IPV6, &ipv6(58, &icmp(135, 1)));
    let expected = Record {
        icmp_type: 135,
        icmp_code: 1,
        flags: Flags::ICMP,
        ..version6(&packet, 58, Protocol::Icmpv6)
    };
    reading.expect("ICMPv6", &packet, expected);

    for (protocol, class) in [(TCP, Protocol::TcpIpv6), (UDP, Protocol::UdpIpv6), (132, Protocol::SctpIpv6)] {
        let header = match protocol {
            TCP => tcp(1234, 53, 0x5000, &[]),
            UDP => udp(1234, 53, &DATA),
            _ => sctp(1234, 53),
        };
        let packet = ethernet(IPV6, &ipv6(protocol, &header));
        let expected = ports(version6(&packet, protocol, class));
        let expected = if protocol == TCP { tcp_flags(0, expected) } else { expected };
        reading.expect("over IPv6", &packet, expected);
    }

    // The ICMP of the other IP version is an unknown protocol; so are ESP and "no next header".
    for (protocol, class) in [(58, Protocol::OtherIpv4), (2, Protocol::Igmp), (50, Protocol::OtherIpv4)] {
        let packet = ethernet(IPV4, &Ipv4::of(protocol).before(&icmp(8, 0)));
        reading.expect("another protocol over IPv4", &packet, version4(&packet, protocol, class));
    }
    for protocol in [1, 2, 50, 59] {
        let packet = ethernet(IPV6, &ipv6(protocol, &icmp(8, 0)));
        let expected = version6(&packet, protocol, Protocol::OtherIpv6);
        reading.expect("another protocol over IPv6", &packet, expected);
    }

    let packet = ethernet_to([0xff; 6], ARP, &arp(1));
    let expected = Record {
        destination_mac: [0xff; 6],
        source_address: four(V4_SOURCE),
        destination_address: four(V4_DESTINATION),
        arp_operation: 1,
        flags: Flags::ARP | Flags::ARP_ADDRESSES | Flags::BROADCAST,
        class: Protocol::Arp as u8,
        ..framed(&packet, ARP)
    };
    assert_eq!(expected.source(), Some("172.16.10.208".parse().unwrap()));
    reading.expect("ARP", &packet, expected);

    // Hardware type 6: addresses of other lengths.
    let packet = ethernet(ARP, &[0, 6, 8, 0, 8, 4, 0, 2, 1, 2, 3]);
    let expected =
        Record { arp_operation: 2, flags: Flags::ARP, class: Protocol::Arp as u8, ..framed(&packet, ARP) };
    reading.expect("ARP for other hardware", &packet, expected);

    for ethertype in [0x88cc, 0x0026] {
        let packet = ethernet(ethertype, &[0x42; 46]);
        reading.expect("another ethertype", &packet, framed(&packet, ethertype));
    }
}
