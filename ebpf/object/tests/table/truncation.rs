//! Packets truncated after each of their bytes.

use crate::expectation::{
    DATA, Reading, TCP, UDP, faulty, four, framed, ports, tcp_flags, version4, version6,
};
use crate::packets::{
    self, ARP, IPV4, IPV6, Ipv4, SERVICE_VLAN, SOURCE_MAC, V4_DESTINATION, V4_SOURCE, VLAN, arp, ethernet,
    extension, ipv6, ipv6_fragment, sctp, udp,
};
use packet_record::{Fault, Flags, Protocol, Record};

/// Checks each length of a packet. `stages` has the record for each range of lengths, except for the frame's length.
fn each_length(reading: &mut Reading, name: &str, packet: &[u8], stages: &[(usize, Record)]) {
    for length in 0..=packet.len() {
        let (_, record) = stages.iter().find(|(below, _)| length < *below).unwrap();
        let expected = Record { frame_length: length as u32, ratio: 1, ..*record };
        reading.expect(&format!("{name}, {length} bytes"), &packet[..length], expected);
    }
}

#[test]
fn each_truncation() {
    let mut reading = Reading::new("truncated packets in the kernel");
    let none = faulty(Fault::EthernetTruncated, Record::default());

    let packet = packets::tagged_tcp_ipv4();
    let one = Record { flags: Flags::SERVICE_TAG, ..framed(&packet, SERVICE_VLAN) };
    let two = Record { vlan: [100, 0], vlan_tags: 1, ethertype: VLAN, ..one };
    let ip =
        Record { vlan: [100, 200], vlan_tags: 2, ethertype: IPV4, class: Protocol::OtherIpv4 as u8, ..one };
    let tcp4 = Record {
        source_mac: SOURCE_MAC,
        vlan: ip.vlan,
        vlan_tags: 2,
        flags: Flags::SERVICE_TAG,
        network_length: 140,
        ..version4(&packet, TCP, Protocol::TcpIpv4)
    };
    let whole =
        Record { source_port: 443, destination_port: 50000, flags: tcp4.flags | Flags::PORTS, ..tcp4 };
    let flagged = tcp_flags(0x10, whole);
    each_length(
        &mut reading,
        "QinQ TCP",
        &packet,
        &[
            (14, none),
            (18, faulty(Fault::VlanTruncated, Record { flags: Flags::default(), ..one })),
            (22, faulty(Fault::VlanTruncated, two)),
            (42, faulty(Fault::Ipv4Truncated, ip)),
            (46, faulty(Fault::TransportTruncated, tcp4)),
            (56, faulty(Fault::TransportTruncated, whole)),
            (62, faulty(Fault::TransportTruncated, flagged)),
            (usize::MAX, flagged),
        ],
    );

    let chain = extension(44, 1, &ipv6_fragment(UDP, 0, true, &udp(1234, 53, &[0; 24])));
    let packet = ethernet(IPV6, &ipv6(0, &chain));
    let chained = version6(&packet, 0, Protocol::OtherIpv6);
    let fragment = Flags::FRAGMENT | Flags::MORE_FRAGMENTS;
    let headers = Record { flags: fragment, ..version6(&packet, UDP, Protocol::UdpIpv6) };
    each_length(
        &mut reading,
        "IPv6 fragment",
        &packet,
        &[
            (14, none),
            (54, faulty(Fault::Ipv6Truncated, Record { class: 8, ..framed(&packet, IPV6) })),
            (70, faulty(Fault::Ipv6ExtensionTruncated, chained)),
            (78, faulty(Fault::Ipv6ExtensionTruncated, Record { protocol: 44, ..chained })),
            (82, faulty(Fault::TransportTruncated, headers)),
            (86, faulty(Fault::TransportTruncated, ports(headers))),
            (usize::MAX, ports(headers)),
        ],
    );

    let packet = ethernet(ARP, &arp(2));
    let class = Protocol::Arp as u8;
    let whole = Record {
        source_address: four(V4_SOURCE),
        destination_address: four(V4_DESTINATION),
        arp_operation: 2,
        flags: Flags::ARP | Flags::ARP_ADDRESSES,
        class,
        ..framed(&packet, ARP)
    };
    let cut = faulty(Fault::ArpTruncated, Record { class, ..framed(&packet, ARP) });
    each_length(&mut reading, "ARP", &packet, &[(14, none), (42, cut), (usize::MAX, whole)]);

    for (protocol, class, header) in
        [(UDP, Protocol::UdpIpv4, udp(1234, 53, &DATA)), (132, Protocol::SctpIpv4, sctp(1234, 53))]
    {
        let packet = ethernet(IPV4, &Ipv4::of(protocol).before(&header));
        let ip = version4(&packet, protocol, class);
        let end = 34 + if protocol == UDP { 8 } else { 12 };
        let other = Record { class: Protocol::OtherIpv4 as u8, ..framed(&packet, IPV4) };
        each_length(
            &mut reading,
            "IPv4",
            &packet,
            &[
                (14, none),
                (34, faulty(Fault::Ipv4Truncated, other)),
                (38, faulty(Fault::TransportTruncated, ip)),
                (end, faulty(Fault::TransportTruncated, ports(ip))),
                (usize::MAX, ports(ip)),
            ],
        );
    }
}
