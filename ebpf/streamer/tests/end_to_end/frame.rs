//! Frames made by hand.

use std::net::Ipv4Addr;

pub(crate) const SYNOLOGY: [u8; 6] = [0x00, 0x11, 0x32, 0xe5, 0x79, 0x5c];
const SSDP_GROUP: [u8; 6] = [0x01, 0x00, 0x5e, 0x7f, 0xff, 0xfa];
const NODE: [u8; 6] = [0x02, 0, 0, 0, 0, 0x01];

/// Ethernet II with up to two VLAN tags.
pub(crate) fn ethernet(to: [u8; 6], from: [u8; 6], vlans: &[u16], ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = [to, from].concat();
    for vlan in vlans {
        frame.extend(0x8100_u16.to_be_bytes());
        frame.extend(vlan.to_be_bytes());
    }
    frame.extend(ethertype.to_be_bytes());
    frame.extend(payload);
    frame
}

pub(crate) fn ipv4(from: [u8; 4], to: [u8; 4], protocol: u8, ttl: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + payload.len()).unwrap();
    let mut packet = vec![0x45, 0];
    packet.extend(length.to_be_bytes());
    packet.extend([0, 0, 0, 0, ttl, protocol, 0, 0]);
    packet.extend(from);
    packet.extend(to);
    let sum: u32 = packet.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    let checksum = !u16::try_from((sum & 0xffff) + (sum >> 16)).unwrap();
    packet[10..12].copy_from_slice(&checksum.to_be_bytes());
    packet.extend(payload);
    packet
}

pub(crate) fn ipv6(from: &str, to: &str, next: u8, hops: u8, payload: &[u8]) -> Vec<u8> {
    let address = |text: &str| text.parse::<std::net::Ipv6Addr>().unwrap().octets();
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
    packet.extend([next, hops]);
    packet.extend(address(from));
    packet.extend(address(to));
    packet.extend(payload);
    packet
}

pub(crate) fn udp(from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + payload.len()).unwrap();
    [&from.to_be_bytes()[..], &to.to_be_bytes(), &length.to_be_bytes(), &[0, 0], payload].concat()
}

pub(crate) fn tcp(from: u16, to: u16, flags: u8) -> Vec<u8> {
    [&from.to_be_bytes()[..], &to.to_be_bytes(), &[0; 8], &[0x50, flags], &[0xff, 0xff, 0, 0, 0, 0]].concat()
}

/// The packet of the original posts: an SSDP search of 129 bytes from a Synology.
pub(crate) fn ssdp() -> Vec<u8> {
    let datagram = udp(50085, 1900, &[b'x'; 101]);
    ethernet(
        SSDP_GROUP,
        SYNOLOGY,
        &[],
        0x0800,
        &ipv4([172, 16, 10, 208], [239, 255, 255, 250], 17, 1, &datagram),
    )
}

/// A datagram to the node. Its destination port tells it from others.
pub(crate) fn datagram(port: u16) -> Vec<u8> {
    let from = Ipv4Addr::new(192, 0, 2, 77).octets();
    ethernet(NODE, SYNOLOGY, &[], 0x0800, &ipv4(from, [10, 99, 0, 1], 17, 64, &udp(4000, port, b"hello")))
}

/// One packet of each kind that the rows distinguish.
pub(crate) fn kinds() -> Vec<Vec<u8>> {
    let (here, there) = ([10, 99, 0, 1], [192, 0, 2, 1]);
    let mut later = ipv4(there, here, 17, 64, &[0; 32]);
    later[6..8].copy_from_slice(&0x00b9_u16.to_be_bytes());
    let hop_by_hop = [&[17, 0, 1, 4, 0, 0, 0, 0][..], &udp(546, 547, b"")].concat();
    let arp = [&[0, 1, 8, 0, 6, 4, 0, 1][..], &SYNOLOGY, &there, &[0; 6], &here, &[0; 18]].concat();
    vec![
        ethernet(NODE, SYNOLOGY, &[], 0x0800, &ipv4(there, here, 6, 64, &tcp(40000, 22, 0x02))),
        ethernet(NODE, SYNOLOGY, &[], 0x0800, &ipv4(there, here, 1, 64, &[8, 0, 0, 0, 0, 1, 0, 1])),
        ethernet(NODE, SYNOLOGY, &[10], 0x0800, &ipv4(there, here, 17, 64, &udp(53, 5353, b""))),
        ethernet(
            NODE,
            SYNOLOGY,
            &[10, 0x2014],
            0x86dd,
            &ipv6("2001:db8::1", "2001:db8::2", 6, 64, &tcp(1, 2, 0x12)),
        ),
        ethernet(
            NODE,
            SYNOLOGY,
            &[],
            0x86dd,
            &ipv6("fe80::1", "fe80::2", 58, 255, &[135, 0, 0, 0, 0, 0, 0, 0]),
        ),
        ethernet(NODE, SYNOLOGY, &[], 0x86dd, &ipv6("2001:db8::1", "2001:db8::2", 0, 64, &hop_by_hop)),
        ethernet(NODE, SYNOLOGY, &[], 0x0800, &later),
        ethernet([0xff; 6], SYNOLOGY, &[], 0x0806, &arp),
        ethernet(NODE, SYNOLOGY, &[], 0x88cc, &[0; 46]),
        ethernet(NODE, SYNOLOGY, &[], 0x0800, &[0x44; 46]),
    ]
}
