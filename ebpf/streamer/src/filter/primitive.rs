//! The tests behind each primitive of the language, as libpcap generates them (gencode.c).

use super::compile::Node;
use packet_record::{Comparison, FilterTest};
use std::net::{Ipv4Addr, Ipv6Addr};

pub(super) const IPV4: u16 = 0x0800;
pub(super) const ARP: u16 = 0x0806;
pub(super) const RARP: u16 = 0x8035;
pub(super) const IPV6: u16 = 0x86dd;
/// Each `EtherType` of a VLAN tag.
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];

const FRAGMENT: u8 = 44;
const TCP: u8 = 6;
const UDP: u8 = 17;
const SCTP: u8 = 132;

const ETHERNET: u16 = 14;
const TAG: u16 = 4;

/// The ends of a packet that a primitive is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    Source,
    Destination,
    Either,
    Both,
}

impl Ends {
    /// Combines the tests of both ends.
    fn of(self, source: Node, destination: Node) -> Node {
        match self {
            Self::Source => source,
            Self::Destination => destination,
            Self::Either => source.or(destination),
            Self::Both => source.and(destination),
        }
    }
}

/// How many VLAN tags are in front of what is tested. Each `vlan` of an expression adds one for the primitives after it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tags(pub(super) u16);

impl Tags {
    const fn ethertype_at(self) -> u16 {
        ETHERNET - 2 + TAG * self.0
    }

    const fn network_at(self) -> u16 {
        ETHERNET + TAG * self.0
    }

    /// Tests a field of the network header.
    fn network(self, offset: u16, width: u8, mask: u32, number: u32) -> Node {
        field(self.network_at() + offset, width, mask, number)
    }

    pub(super) fn ethertype(self, number: u16) -> Node {
        field(self.ethertype_at(), 2, 0xffff, number.into())
    }

    /// Tests for a VLAN tag, which this adds to the tags in front.
    pub(super) fn vlan(&mut self, id: Option<u16>) -> Node {
        let [a, b, c] = TAGS.map(|tag| self.ethertype(tag));
        let tagged = a.or(b).or(c);
        let node = match id {
            Some(id) => tagged.and(self.network(0, 2, 0x0fff, id.into())),
            None => tagged,
        };
        self.0 += 1;
        node
    }

    pub(super) fn ip_protocol(self, number: u8) -> Node {
        self.ethertype(IPV4).and(self.network(9, 1, 0xff, number.into()))
    }

    pub(super) fn ip6_protocol(self, number: u8) -> Node {
        let direct = self.network(6, 1, 0xff, number.into());
        let in_fragment =
            self.network(6, 1, 0xff, FRAGMENT.into()).and(self.network(40, 1, 0xff, number.into()));
        self.ethertype(IPV6).and(direct.or(in_fragment))
    }

    /// Tests the addresses of IPv4, ARP or RARP.
    pub(super) fn ipv4_hosts(self, ethertype: u16, address: Ipv4Addr, mask: u32, ends: Ends) -> Node {
        let (source, destination) = if ethertype == IPV4 { (12, 16) } else { (14, 24) };
        let at = |offset| self.network(offset, 4, mask, address.to_bits() & mask);
        self.ethertype(ethertype).and(ends.of(at(source), at(destination)))
    }

    pub(super) fn ipv6_hosts(self, address: Ipv6Addr, mask: u128, ends: Ends) -> Node {
        let words = |number: u128| [96, 64, 32, 0].map(|shift| (number >> shift & 0xffff_ffff) as u32);
        let at = |start: u16| {
            let offsets = [0, 4, 8, 12].into_iter();
            let parts = offsets.zip(words(mask).into_iter().zip(words(address.to_bits())));
            parts.fold(Node::Always, |tests, (offset, (mask, number))| {
                // libpcap's optimizer removes a comparison of no bits.
                if mask == 0 {
                    tests
                } else {
                    tests.and(self.network(start + offset, 4, mask, number & mask))
                }
            })
        };
        self.ethertype(IPV6).and(ends.of(at(8), at(24)))
    }

    /// Tests ports from `first` to `last` of TCP, UDP and SCTP, or of one protocol.
    pub(super) fn ports(self, protocol: Option<u8>, first: u16, last: u16, ends: Ends) -> Node {
        let protocols = protocol.map_or_else(|| vec![SCTP, TCP, UDP], |protocol| vec![protocol]);
        let one_of = |offset| {
            let tests = protocols.iter().map(|number| self.network(offset, 1, 0xff, (*number).into()));
            tests.reduce(Node::or).unwrap_or(Node::Always)
        };
        let at = |offset, behind_ipv4| range(offset, behind_ipv4, first, last);
        let network = self.network_at();
        let six =
            (self.ethertype(IPV6)).and(one_of(6)).and(ends.of(at(network + 40, 0), at(network + 42, 0)));
        let is_first_fragment = self.network(6, 2, 0x1fff, 0);
        let four = (self.ethertype(IPV4))
            .and(one_of(9))
            .and(is_first_fragment)
            .and(ends.of(at(network, network), at(network + 2, network)));
        six.or(four)
    }

    pub(super) fn ip_multicast(self) -> Node {
        let node = FilterTest {
            mask: 0xff,
            number: 224,
            offset: self.network_at() + 16,
            width: 1,
            comparison: Comparison::AtLeast as u8,
            ..FilterTest::default()
        };
        self.ethertype(IPV4).and(Node::Test(node))
    }

    pub(super) fn ip6_multicast(self) -> Node {
        self.ethertype(IPV6).and(self.network(24, 1, 0xff, 0xff))
    }
}

/// Tests MAC addresses.
pub(super) fn mac_hosts(mac: [u8; 6], ends: Ends) -> Node {
    let [high, higher @ ..] = mac;
    let [low, rest @ ..] = higher;
    // libpcap compares the last four bytes first.
    let at = |offset| {
        let last = field(offset + 2, 4, u32::MAX, u32::from_be_bytes(rest));
        last.and(field(offset, 2, 0xffff, u16::from_be_bytes([high, low]).into()))
    };
    ends.of(at(6), at(0))
}

pub(super) fn mac_multicast() -> Node {
    field(0, 1, 1, 1)
}

/// Tests for frames of at least `length` bytes.
pub(super) fn at_least(length: u32) -> Node {
    Node::Test(FilterTest {
        mask: u32::MAX,
        number: length,
        comparison: Comparison::AtLeast as u8,
        ..FilterTest::default()
    })
}

fn field(offset: u16, width: u8, mask: u32, number: u32) -> Node {
    Node::Test(FilterTest { mask, number, offset, width, ..FilterTest::default() })
}

/// Tests for a port in a range. `behind_ipv4` is the offset of an IPv4 header in front, or 0.
fn range(offset: u16, behind_ipv4: u16, first: u16, last: u16) -> Node {
    let test = |number: u32, comparison: Comparison| {
        Node::Test(FilterTest {
            mask: 0xffff,
            number,
            offset,
            behind_ipv4,
            width: 2,
            comparison: comparison as u8,
            ..FilterTest::default()
        })
    };
    if first == last {
        return test(first.into(), Comparison::Equal);
    }
    test(first.into(), Comparison::AtLeast).and(test(u32::from(last) + 1, Comparison::AtLeast).not())
}
