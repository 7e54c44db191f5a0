//! IPv4 headers: options, lengths, fragments and faults.

use crate::expectation::{DATA, Reading, TCP, UDP, faulty, framed, ports, tcp_flags, version4};
use crate::packets::{IPV4, Ipv4, ethernet, tcp, udp};
use packet_record::{Fault, Flags, Protocol, Record};

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

    // Options that end after the frame: the fixed header is whole all the same.
    let packet = ethernet(IPV4, &Ipv4 { header_words: Some(15), ..of }.before(&segment));
    let other = version4(&packet, UDP, Protocol::OtherIpv4);
    reading.expect("truncated options", &packet, faulty(Fault::Ipv4Truncated, other));

    for total in 1..20 {
        let packet = ethernet(IPV4, &Ipv4 { total_length: Some(total), ..of }.before(&segment));
        let other =
            Record { network_length: u32::from(total), ..version4(&packet, UDP, Protocol::OtherIpv4) };
        reading.expect("total length below the header's", &packet, faulty(Fault::Ipv4TotalLength, other));
    }
    // Bytes after the total length are padding, even if they look like a header.
    for total in 20..28 {
        let packet = ethernet(IPV4, &Ipv4 { total_length: Some(total), ..of }.before(&segment));
        let read = version4(&packet, UDP, class);
        // The ports are whole if they end before the padding.
        let expected =
            Record { network_length: u32::from(total), ..if total < 24 { read } else { ports(read) } };
        reading.expect("padding", &packet, faulty(Fault::TransportTruncated, expected));
    }
    // Segmentation offload writes 0, and the packet ends with the frame. A frame may be truncated after the headers.
    for (total, length) in [(0, 32), (28, 28), (1500, 1500)] {
        let packet = ethernet(IPV4, &Ipv4 { total_length: Some(total), ..of }.before(&segment));
        let expected = Record { network_length: length, ..ports(version4(&packet, UDP, class)) };
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
    let expected = tcp_flags(2, ports(version4(&packet, TCP, Protocol::TcpIpv4)));
    reading.expect("data offset 4", &packet, faulty(Fault::TcpDataOffset, expected));
}
