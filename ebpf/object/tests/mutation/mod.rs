//! Random and mutated packets, the same in every run.

use crate::packets::{
    self, ARP, IPV4, IPV6, Ipv4, SERVICE_VLAN, VLAN, arp, authentication, ethernet, extension, icmp, ipv6,
    ipv6_fragment, sctp, tag, tcp, udp,
};

/// Marsaglia's xorshift64* generator, which is good enough for tests and needs no dependency.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Returns a number below `limit`, which is not 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 33) as usize % limit
    }

    fn byte(&mut self) -> u8 {
        (self.next() >> 40) as u8
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

const ETHERTYPES: [u16; 8] = [IPV4, IPV6, ARP, VLAN, SERVICE_VLAN, 0x9100, 0x88cc, 0x0026];
/// Protocol numbers that the parser knows, and some that it does not.
const PROTOCOLS: [u8; 20] = [0, 1, 2, 6, 17, 41, 43, 44, 47, 50, 51, 58, 59, 60, 89, 132, 135, 139, 140, 255];

/// Returns the packets that mutation starts from.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let datagram = udp(1234, 53, &[0x11; 20]);
    let segment = tcp(1234, 53, 0x5012, &[0x22; 20]);
    let chain = authentication(60, 1, &extension(6, 0, &segment));
    let chain = extension(43, 2, &extension(44, 0, &ipv6_fragment(51, 0, true, &chain)));
    let eight = (1..8).fold(extension(17, 0, &datagram), |inner, _| extension(60, 0, &inner));
    vec![
        packets::ssdp(),
        packets::tcp_ipv4(),
        packets::tcp_ipv6(),
        packets::tagged_tcp_ipv4(),
        ethernet(VLAN, &tag(7, IPV6, &ipv6(17, &datagram))),
        ethernet(VLAN, &tag(7, VLAN, &tag(8, VLAN, &tag(9, IPV4, &Ipv4::of(17).before(&datagram))))),
        ethernet(IPV4, &Ipv4 { options: &[1; 12], ..Ipv4::of(6) }.before(&segment)),
        ethernet(IPV4, &Ipv4 { fragment: 0x2000, ..Ipv4::of(17) }.before(&datagram)),
        ethernet(IPV4, &Ipv4 { fragment: 0x00b9, ..Ipv4::of(17) }.before(&datagram)),
        ethernet(IPV4, &Ipv4::of(132).before(&sctp(1234, 53))),
        ethernet(IPV4, &Ipv4::of(1).before(&icmp(8, 0))),
        ethernet(IPV4, &Ipv4::of(51).before(&authentication(6, 1, &segment))),
        ethernet(IPV6, &ipv6(0, &chain)),
        ethernet(IPV6, &ipv6(60, &eight)),
        ethernet(IPV6, &ipv6(44, &ipv6_fragment(17, 185, false, &datagram))),
        ethernet(IPV6, &ipv6(58, &icmp(128, 0))),
        ethernet(IPV6, &ipv6(60, &extension(17, 60, &datagram))),
        ethernet(ARP, &arp(1)),
        ethernet(0x88cc, &[0x42; 46]),
    ]
}

/// Returns one packet of at least 14 bytes.
pub(crate) fn packet(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut packet =
        if random.below(8) == 0 { noise(random) } else { seeds[random.below(seeds.len())].clone() };
    for _ in 0..random.below(5) {
        mutate(&mut packet, random);
    }
    if random.below(4) == 0 {
        packet.truncate(random.below(packet.len()));
    }
    packet.resize(packet.len().max(14), 0);
    packet
}

/// Returns random bytes behind an EtherType that the parser knows. Half of them begin with a matching IP header.
fn noise(random: &mut Random) -> Vec<u8> {
    let mut packet: Vec<u8> = (0..14 + random.below(200)).map(|_| random.byte()).collect();
    let ethertype = random.one_of(&ETHERTYPES);
    packet[12..14].copy_from_slice(&ethertype.to_be_bytes());
    if packet.len() > 24 && random.below(2) == 0 {
        packet[14] = random.one_of(&[0x45, 0x46, 0x60, 0x61]);
        packet[20] = random.one_of(&PROTOCOLS);
        packet[23] = random.one_of(&PROTOCOLS);
    }
    packet
}

fn mutate(packet: &mut Vec<u8>, random: &mut Random) {
    if packet.is_empty() {
        return;
    }
    let at = random.below(packet.len());
    match random.below(7) {
        0 => packet[at] = random.byte(),
        1 => packet[at] ^= 1 << random.below(8),
        2 => packet[at] = random.one_of(&[0, 1, 4, 5, 0x45, 0x60, 0x7f, 0x80, 0xff]),
        3 => packet[at] = random.one_of(&PROTOCOLS),
        4 => {
            let ethertype = random.one_of(&ETHERTYPES).to_be_bytes();
            let at = random.one_of(&[12, 16, 20]);
            packet.resize(packet.len().max(at + 2), 0);
            packet[at..at + 2].copy_from_slice(&ethertype);
        }
        5 => drop(packet.drain(at..packet.len().min(at + 1 + random.below(8)))),
        _ => {
            let inserted: Vec<u8> = (0..=random.below(8)).map(|_| random.byte()).collect();
            packet.splice(at..at, inserted);
        }
    }
}
