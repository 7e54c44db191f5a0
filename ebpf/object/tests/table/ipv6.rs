//! IPv6 and its chains of extension headers.

use crate::expectation::{DATA, Reading, UDP, faulty, framed, on_host, ports, version6};
use crate::packets::{IPV6, authentication, ethernet, extension, ipv6, ipv6_fragment, ipv6_of_length, udp};
use packet_record::{Fault, Flags, Protocol, Record};

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
    // A later fragment has no further header, whatever number the fragment header names.
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
    // The longest possible chain: eight times 2048 bytes.
    let inner = (1..8).fold(extension(UDP, 255, &segment), |inner, _| extension(60, 255, &inner));
    let packet = ethernet(IPV6, &ipv6(60, &inner));
    let expected = ports(version6(&packet, UDP, class));
    assert_eq!(on_host(&packet), expected);

    // An extension header that ends after the payload or after the frame.
    for (length, cut) in [(8, 0), (0xffff, 20)] {
        let mut packet = ethernet(IPV6, &ipv6_of_length(length, 0, &extension(UDP, 1, &segment)));
        packet.truncate(packet.len() - cut);
        let expected =
            Record { network_length: u32::from(length) + 40, ..version6(&packet, 0, Protocol::OtherIpv6) };
        reading.expect("truncated extension", &packet, faulty(Fault::Ipv6ExtensionTruncated, expected));
    }
    let packet = ethernet(IPV6, &ipv6_of_length(0, UDP, &segment));
    let expected = ports(version6(&packet, UDP, class));
    reading.expect("payload length 0", &packet, expected);

    let mut packet = ethernet(IPV6, &ipv6(UDP, &segment));
    packet[14] = 0x4b;
    let other = Record { class: Protocol::OtherIpv6 as u8, ..framed(&packet, IPV6) };
    reading.expect("version 4", &packet, faulty(Fault::Ipv6Version, other));
}
