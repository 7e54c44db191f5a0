//! What the program counts: every packet, exactly.

use core::ops::AddAssign;

/// Packets and bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    pub packets: u64,
    /// Frame bytes as in [`Record::frame_length`](crate::Record::frame_length).
    pub bytes: u64,
}

impl AddAssign for Traffic {
    fn add_assign(&mut self, other: Self) {
        self.packets = self.packets.wrapping_add(other.packets);
        self.bytes = self.bytes.wrapping_add(other.bytes);
    }
}

/// What a packet is counted as. Every packet is counted under exactly one.
///
/// The number is the index into [`Counters::protocols`] and the value of [`Record::class`](crate::Record::class).
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// Neither ARP nor IP, or cut short before that could be known.
    OtherEthernet = 0,
    Arp = 1,
    /// IPv4 with another protocol, or with a broken IPv4 header.
    OtherIpv4 = 2,
    Icmp = 3,
    Igmp = 4,
    TcpIpv4 = 5,
    UdpIpv4 = 6,
    SctpIpv4 = 7,
    /// IPv6 with another protocol, or with a broken IPv6 header or chain of extension headers.
    OtherIpv6 = 8,
    Icmpv6 = 9,
    TcpIpv6 = 10,
    UdpIpv6 = 11,
    SctpIpv6 = 12,
}

/// The number of [`Protocol`]s.
pub const PROTOCOLS: usize = 13;

impl Protocol {
    /// All of them, in the order of [`Counters::protocols`].
    pub const ALL: [Self; PROTOCOLS] = [
        Self::OtherEthernet,
        Self::Arp,
        Self::OtherIpv4,
        Self::Icmp,
        Self::Igmp,
        Self::TcpIpv4,
        Self::UdpIpv4,
        Self::SctpIpv4,
        Self::OtherIpv6,
        Self::Icmpv6,
        Self::TcpIpv6,
        Self::UdpIpv6,
        Self::SctpIpv6,
    ];
}

/// What one CPU has counted since the program was loaded. Nothing is ever reset: rates are differences.
///
/// Once no packet is in flight, these hold exactly:
///
/// * `seen().packets == shown + sampled_out + lost + own.packets` ([`Counters::balanced`]);
/// * with flow aggregation on, packets with a whole IP header that are not `own` are each either in a flow or in
///   `untracked`.
///
/// While packets arrive, a copy may be taken in the middle of one. The program writes `protocols` first and the
/// outcome last, and the kernel copies from the first field to the last, so a copy of one CPU's counters that is
/// [`balanced`](Counters::balanced) was not torn; if it is not balanced, read once more.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets whose record is in the ring.
    pub shown: u64,
    /// Packets not chosen by the sampling, or by a ratio of 0.
    pub sampled_out: u64,
    /// Packets chosen whose record found the ring full.
    pub lost: u64,
    /// Packets to or from the push target itself.
    pub own: Traffic,
    /// Packets with a [`Fault`](crate::Fault): a property beside the outcome, not an outcome.
    pub malformed: u64,
    /// Packets to a group (multicast, not broadcast) MAC address.
    pub multicast: u64,
    /// Packets to the broadcast MAC address.
    pub broadcast: u64,
    /// Packets that found no room in the flow map, or came faster than new flows may be made.
    pub untracked: Traffic,
    /// By [`Protocol`]: every packet that reached the program, `own` included.
    pub protocols: [Traffic; PROTOCOLS],
}

/// The value of [`map::CPU`](crate::map::CPU): all that the program keeps for one CPU. In one map, because each look-up
/// costs every packet.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    pub counters: Counters,
    /// What the program remembers from packet to packet, for itself alone.
    pub memory: [u64; MEMORY_WORDS],
}

/// The size of [`Cpu::memory`], in words of eight bytes.
pub const MEMORY_WORDS: usize = 12;

impl Counters {
    /// Whether every packet seen has its outcome.
    #[must_use]
    pub fn balanced(&self) -> bool {
        let outcomes = self.shown.wrapping_add(self.sampled_out).wrapping_add(self.lost);
        self.seen().packets == outcomes.wrapping_add(self.own.packets)
    }

    /// Every packet that reached the program, `own` included: the sum of `protocols`.
    #[must_use]
    pub fn seen(&self) -> Traffic {
        let mut sum = Traffic::default();
        for traffic in self.protocols {
            sum += traffic;
        }
        sum
    }

    /// Counters of `traffic` that was all of one protocol; every outcome is zero.
    #[must_use]
    pub fn all_of(protocol: Protocol, traffic: Traffic) -> Self {
        let mut counters = Self::default();
        counters.protocols[protocol as usize] = traffic;
        counters
    }

    /// What was counted under `protocol`.
    #[must_use]
    pub fn of(&self, protocol: Protocol) -> Traffic {
        self.protocols[protocol as usize]
    }
}

impl AddAssign for Counters {
    /// Adds another CPU's counters.
    fn add_assign(&mut self, other: Self) {
        let sum = |here: &mut u64, there: u64| *here = here.wrapping_add(there);
        sum(&mut self.shown, other.shown);
        sum(&mut self.sampled_out, other.sampled_out);
        sum(&mut self.lost, other.lost);
        self.own += other.own;
        sum(&mut self.malformed, other.malformed);
        sum(&mut self.multicast, other.multicast);
        sum(&mut self.broadcast, other.broadcast);
        self.untracked += other.untracked;
        for (here, there) in self.protocols.iter_mut().zip(other.protocols) {
            *here += there;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_no_padding() {
        assert_eq!(size_of::<Counters>(), 8 * (3 + 2 + 3 + 2 + 2 * PROTOCOLS));
        assert_eq!(size_of::<Cpu>(), size_of::<Counters>() + 8 * MEMORY_WORDS);
    }

    #[test]
    fn protocols_are_in_the_order_of_their_numbers() {
        for (index, protocol) in Protocol::ALL.iter().enumerate() {
            assert_eq!(*protocol as usize, index);
        }
    }

    #[test]
    fn balance_counts_every_outcome_once() {
        let mut sum =
            Counters { shown: 1, ..Counters::all_of(Protocol::Arp, Traffic { packets: 1, bytes: 60 }) };
        let mut other_cpu = Counters {
            sampled_out: 2,
            lost: 3,
            own: Traffic { packets: 4, bytes: 240 },
            malformed: 9,
            ..Counters::all_of(Protocol::Arp, Traffic { packets: 2, bytes: 120 })
        };
        other_cpu.protocols[Protocol::SctpIpv6 as usize] = Traffic { packets: 7, bytes: 420 };
        sum += other_cpu;
        assert!(sum.balanced());
        assert_eq!(sum.seen(), Traffic { packets: 10, bytes: 600 });
        sum.lost += 1;
        assert!(!sum.balanced());
    }
}
