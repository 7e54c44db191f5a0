//! Packets made by hand, whole records compared: from the parser on the host and from the program in the kernel, by
//! either hook.
#![allow(clippy::cast_possible_truncation, reason = "packets of tests are short")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in the functions that it calls")]

mod loaded;
mod packets;

use loaded::{Hook, Loaded, Ring, control};
use packet_record::{Fault, Flags, Protocol, Record};
use packets::{
    ARP, GROUP_MAC, HOST_MAC, IPV4, IPV6, Ipv4, SERVICE_VLAN, SOURCE_MAC, V4_DESTINATION, V4_SOURCE,
    V6_DESTINATION, V6_SOURCE, VLAN, arp, authentication, ethernet, ethernet_to, extension, icmp, ipv6,
    ipv6_fragment, ipv6_of_length, sctp, tag, tcp, udp,
};

const TCP: u8 = 6;
const UDP: u8 = 17;
const DATA: [u8; 4] = [0xff; 4];

fn four(address: [u8; 4]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&address);
    bytes
}

/// What every packet here has.
fn framed(packet: &[u8], ethertype: u16) -> Record {
    Record {
        source_mac: SOURCE_MAC,
        destination_mac: HOST_MAC,
        frame_length: packet.len() as u32,
        ethertype,
        ratio: 1,
        ..Record::default()
    }
}

fn version4(packet: &[u8], protocol: u8, class: Protocol) -> Record {
    Record {
        source_address: four(V4_SOURCE),
        destination_address: four(V4_DESTINATION),
        version: 4,
        hop_limit: 1,
        traffic_class: 0xb8,
        protocol,
        class: class as u8,
        network_length: packet.len() as u32 - 14,
        ..framed(packet, IPV4)
    }
}

fn version6(packet: &[u8], protocol: u8, class: Protocol) -> Record {
    Record {
        source_address: V6_SOURCE,
        destination_address: V6_DESTINATION,
        version: 6,
        hop_limit: 64,
        traffic_class: 0xb8,
        protocol,
        class: class as u8,
        network_length: packet.len() as u32 - 14,
        ..framed(packet, IPV6)
    }
}

fn ports(record: Record) -> Record {
    Record { source_port: 1234, destination_port: 53, flags: record.flags | Flags::PORTS, ..record }
}

fn faulty(fault: Fault, record: Record) -> Record {
    Record { fault: fault as u8, ..record }
}

fn on_host(packet: &[u8]) -> Record {
    let mut record = Record { frame_length: packet.len() as u32, ..Record::default() };
    packet_parser::parse(packet, &mut record);
    Record { ratio: 1, ..record }
}

/// Compares what the host and, if it may, the kernel read in each packet.
struct Reading {
    kernel: Vec<(Hook, Loaded, Ring)>,
}

impl Reading {
    fn new(test: &str) -> Self {
        let load = |hook| {
            let (program, ring) = Loaded::new(hook, false, 1 << 20, control(1)).unwrap();
            (hook, program, ring)
        };
        let hooks = if loaded::may_load(test) { vec![Hook::Xdp, Hook::Tcx] } else { Vec::new() };
        Self { kernel: hooks.into_iter().map(load).collect() }
    }

    fn expect(&mut self, name: &str, packet: &[u8], expected: Record) {
        assert_eq!(on_host(packet), expected, "{name}, on the host");
        for (hook, program, ring) in &mut self.kernel {
            if packet.len() < hook.shortest(packet) {
                continue;
            }
            program.run(packet, 1).unwrap();
            assert_eq!(ring.records(), [expected], "{name}, in the kernel by {hook:?}");
        }
    }
}

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
    let expected = Record { tcp_flags: 0x1ff, ..ports(version4(&packet, TCP, Protocol::TcpIpv4)) };
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
        reading.expect("over IPv6", &packet, ports(version6(&packet, protocol, class)));
    }

    // ICMP of the other version is a protocol like any other; so are IGMP, ESP and "no next header".
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

#[test]
fn vlan_tags() {
    let mut reading = Reading::new("VLAN tags in the kernel");
    let inner = Ipv4::of(UDP).before(&udp(1234, 53, &DATA));
    let tagged = |packet: &[u8], tags: u8| Record {
        vlan_tags: tags,
        network_length: inner.len() as u32,
        ..ports(version4(packet, UDP, Protocol::UdpIpv4))
    };

    let packet = ethernet(VLAN, &tag(0x6123, IPV4, &inner));
    reading.expect("one tag", &packet, Record { vlan: [0x6123, 0], ..tagged(&packet, 1) });

    for service in [SERVICE_VLAN, 0x9100] {
        let packet = ethernet(service, &tag(100, VLAN, &tag(200, IPV4, &inner)));
        let expected =
            Record { vlan: [100, 200], flags: Flags::PORTS | Flags::SERVICE_TAG, ..tagged(&packet, 2) };
        reading.expect("two tags", &packet, expected);
    }

    let packet = ethernet(VLAN, &tag(1, VLAN, &tag(2, VLAN, &tag(3, IPV4, &inner))));
    let expected = Record { vlan: [1, 2], vlan_tags: 2, ..framed(&packet, VLAN) };
    reading.expect("three tags", &packet, expected);
}

#[test]
fn ipv4_headers() {
    let mut reading = Reading::new("IPv4 headers in the kernel");
    let segment = udp(1234, 53, &DATA);
    let of = Ipv4::of(UDP);
    let class = Protocol::UdpIpv4;

    for words in 1..=10 {
        let options = vec![1; 4 * words];
        let packet = ethernet(IPV4, &Ipv4 { options: &options, ..of }.before(&segment));
        reading.expect("options", &packet, ports(version4(&packet, UDP, class)));
    }
    for words in 0..5 {
        let packet = ethernet(IPV4, &Ipv4 { header_words: Some(words), ..of }.before(&segment));
        let other = Record { class: Protocol::OtherIpv4 as u8, ..framed(&packet, IPV4) };
        reading.expect("ihl below 5", &packet, faulty(Fault::Ipv4HeaderLength, other));
    }
    let mut packet = ethernet(IPV4, &of.before(&segment));
    packet[14] = 0x55;
    let other = Record { class: Protocol::OtherIpv4 as u8, ..framed(&packet, IPV4) };
    reading.expect("version 5", &packet, faulty(Fault::Ipv4Version, other));

    // Options that are longer than the frame.
    let packet = ethernet(IPV4, &Ipv4 { header_words: Some(15), ..of }.before(&segment));
    let other = Record { class: Protocol::OtherIpv4 as u8, ..framed(&packet, IPV4) };
    reading.expect("options cut short", &packet, faulty(Fault::Ipv4Truncated, other));

    for total in 1..20 {
        let packet = ethernet(IPV4, &Ipv4 { total_length: Some(total), ..of }.before(&segment));
        let other = Record { class: Protocol::OtherIpv4 as u8, ..framed(&packet, IPV4) };
        reading.expect("total length below the header's", &packet, faulty(Fault::Ipv4TotalLength, other));
    }
    // What comes after the total length is padding, even if it looks like a header.
    for total in 20..28 {
        let packet = ethernet(IPV4, &Ipv4 { total_length: Some(total), ..of }.before(&segment));
        let expected = Record { network_length: u32::from(total), ..version4(&packet, UDP, class) };
        reading.expect("padding", &packet, faulty(Fault::TransportTruncated, expected));
    }
    // Segmentation offload writes 0; a frame may be cut short after the headers.
    for total in [0, 28, 1500] {
        let packet = ethernet(IPV4, &Ipv4 { total_length: Some(total), ..of }.before(&segment));
        let expected = Record { network_length: u32::from(total), ..ports(version4(&packet, UDP, class)) };
        reading.expect("another total length", &packet, expected);
    }

    let first = Flags::FRAGMENT | Flags::MORE_FRAGMENTS;
    for (fragment, offset, flags, has_ports) in [
        (0x2000, 0, first, true),
        (0x4000, 0, Flags::default(), true),
        (0x2001, 8, first, false),
        (0x00b9, 1480, Flags::FRAGMENT, false),
        (0x1fff, 65528, Flags::FRAGMENT, false),
    ] {
        let packet = ethernet(IPV4, &Ipv4 { fragment, ..of }.before(&segment));
        let expected = Record { fragment_offset: offset, flags, ..version4(&packet, UDP, class) };
        reading.expect("fragment", &packet, if has_ports { ports(expected) } else { expected });
    }

    let packet = ethernet(IPV4, &Ipv4::of(TCP).before(&tcp(1234, 53, 0x4002, &[])));
    let expected = Record { tcp_flags: 2, ..ports(version4(&packet, TCP, Protocol::TcpIpv4)) };
    reading.expect("data offset 4", &packet, faulty(Fault::TcpDataOffset, expected));
}

#[test]
fn ipv6_chains() {
    let mut reading = Reading::new("IPv6 extension headers in the kernel");
    let segment = udp(1234, 53, &DATA);
    let class = Protocol::UdpIpv6;

    for kind in [0, 43, 60, 135, 139, 140] {
        for words in [0, 1, 5] {
            let packet = ethernet(IPV6, &ipv6(kind, &extension(UDP, words, &segment)));
            reading.expect("one extension", &packet, ports(version6(&packet, UDP, class)));
        }
    }
    let packet = ethernet(IPV6, &ipv6(51, &authentication(UDP, 4, &segment)));
    reading.expect("authentication", &packet, ports(version6(&packet, UDP, class)));

    // Hop-by-hop, destination options, routing, fragment, authentication, destination options.
    let chain = authentication(60, 1, &extension(UDP, 0, &segment));
    let chain = extension(60, 1, &extension(43, 2, &extension(44, 0, &ipv6_fragment(51, 0, true, &chain))));
    let packet = ethernet(IPV6, &ipv6(0, &chain));
    let flags = Flags::FRAGMENT | Flags::MORE_FRAGMENTS;
    reading.expect("every extension", &packet, ports(Record { flags, ..version6(&packet, UDP, class) }));

    for (offset, more, flags) in [
        (0, false, Flags::default()),
        (0, true, flags),
        (1, true, flags),
        (185, false, Flags::FRAGMENT),
        (8191, false, Flags::FRAGMENT),
    ] {
        let packet = ethernet(IPV6, &ipv6(44, &ipv6_fragment(UDP, offset, more, &segment)));
        let expected = Record { fragment_offset: offset * 8, flags, ..version6(&packet, UDP, class) };
        reading.expect("fragment", &packet, if offset == 0 { ports(expected) } else { expected });
    }
    // In a later fragment nothing is a header, whatever number the fragment header names.
    let packet = ethernet(IPV6, &ipv6(44, &ipv6_fragment(60, 1, false, &extension(UDP, 0, &segment))));
    let expected =
        Record { fragment_offset: 8, flags: Flags::FRAGMENT, ..version6(&packet, 60, Protocol::OtherIpv6) };
    reading.expect("a later fragment's next header", &packet, expected);

    let of_extensions = |count: usize| {
        let inner = (1..count).fold(extension(UDP, 0, &segment), |inner, _| extension(60, 0, &inner));
        ethernet(IPV6, &ipv6(60, &inner))
    };
    let packet = of_extensions(8);
    reading.expect("eight extensions", &packet, ports(version6(&packet, UDP, class)));
    for count in [9, 12] {
        let packet = of_extensions(count);
        let expected = version6(&packet, 60, Protocol::OtherIpv6);
        reading.expect("more extensions", &packet, faulty(Fault::Ipv6ExtensionCount, expected));
    }
    // The longest chain there is: eight times 2048 bytes.
    let inner = (1..8).fold(extension(UDP, 255, &segment), |inner, _| extension(60, 255, &inner));
    let packet = ethernet(IPV6, &ipv6(60, &inner));
    let expected = ports(version6(&packet, UDP, class));
    assert_eq!(on_host(&packet), expected);

    // An extension header that ends after the payload, or after the frame.
    for (length, cut) in [(8, 0), (0xffff, 20)] {
        let mut packet = ethernet(IPV6, &ipv6_of_length(length, 0, &extension(UDP, 1, &segment)));
        packet.truncate(packet.len() - cut);
        let expected =
            Record { network_length: u32::from(length) + 40, ..version6(&packet, 0, Protocol::OtherIpv6) };
        reading.expect("extension cut short", &packet, faulty(Fault::Ipv6ExtensionTruncated, expected));
    }
    let packet = ethernet(IPV6, &ipv6_of_length(0, UDP, &segment));
    let expected = Record { network_length: 40, ..ports(version6(&packet, UDP, class)) };
    reading.expect("payload length 0", &packet, expected);

    let mut packet = ethernet(IPV6, &ipv6(UDP, &segment));
    packet[14] = 0x4b;
    let other = Record { class: Protocol::OtherIpv6 as u8, ..framed(&packet, IPV6) };
    reading.expect("version 4", &packet, faulty(Fault::Ipv6Version, other));
}

/// Each length of a packet: `stages` says up to which length which record is read, the frame's length aside.
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
    let whole = Record {
        source_port: 443,
        destination_port: 50000,
        tcp_flags: 0x10,
        flags: tcp4.flags | Flags::PORTS,
        ..tcp4
    };
    each_length(
        &mut reading,
        "QinQ TCP",
        &packet,
        &[
            (14, none),
            (18, faulty(Fault::VlanTruncated, Record { flags: Flags::default(), ..one })),
            (22, faulty(Fault::VlanTruncated, two)),
            (42, faulty(Fault::Ipv4Truncated, ip)),
            (62, faulty(Fault::TransportTruncated, tcp4)),
            (usize::MAX, whole),
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
            (86, faulty(Fault::TransportTruncated, headers)),
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
                (end, faulty(Fault::TransportTruncated, ip)),
                (usize::MAX, ports(ip)),
            ],
        );
    }
}
