//! The program's counters, which cover every packet exactly.

use core::ops::AddAssign;

/// A number of packets and their bytes.
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

/// The class that a packet is counted under. Every packet is counted under exactly one.
///
/// The number is the index into [`Counters::protocols`] and the value of [`Record::class`](crate::Record::class).
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// Neither ARP nor IP, or truncated before the program could tell.
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
    /// All classes, in the order of [`Counters::protocols`].
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

/// The counters of one CPU since the program was loaded. They are never reset: rates are differences of two readings.
///
/// When no packet is in flight, these statements hold exactly:
///
/// * `seen().packets == matched() + filtered_out + self_traffic.packets` ([`Counters::balanced`]);
/// * with flow aggregation on, each matched packet that has a whole IP header is in `flows`.
///
/// A copy that is taken while a packet is being counted may be torn. The program writes `protocols` first and the
/// outcome last, and the kernel copies from the first field to the last. On x86-64, where stores and loads keep their
/// order, a [`balanced`](Counters::balanced) copy of one CPU's counters is therefore not torn. On arm64 a balanced copy
/// may still mix two neighbouring packets: the class of one and the outcome of the other. Nothing is lost; the next
/// reading has both.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets whose record is in the ring.
    pub shown: u64,
    /// Packets that the sampling did not choose, or every packet while the ratio is 0.
    pub sampled_out: u64,
    /// Packets that were chosen while the ring was full.
    pub lost: u64,
    /// Packets that the filter rejected.
    pub filtered_out: u64,
    /// Packets from or to the push targets themselves. They are not filtered.
    pub self_traffic: Traffic,
    /// Packets with a [`Fault`](crate::Fault), except for headers out of reach, which are no fault of the packet. A fault
    /// is a property beside the outcome, not an outcome.
    pub malformed: u64,
    /// Packets to a group MAC address other than broadcast; without an Ethernet header, to a multicast IP address.
    pub multicast: u64,
    /// Packets to the broadcast MAC address; without an Ethernet header, to 255.255.255.255.
    pub broadcast: u64,
    /// Packets that were added to a flow.
    pub flows: Traffic,
    /// Packets of `flows` whose flow was replaced before user space had read it. User space computes it; the program
    /// leaves it 0.
    pub untracked: Traffic,
    /// Every packet that reached the program by [`Protocol`], self traffic included.
    pub protocols: [Traffic; PROTOCOLS],
}

/// The value of [`map::CPU`](crate::map::CPU): everything that the program keeps for one CPU. It is one map and not
/// several, because every packet pays for each look-up.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    pub counters: Counters,
    /// The program's private state, which it keeps from packet to packet.
    pub memory: [u64; MEMORY_WORDS],
}

/// The size of [`Cpu::memory`], in words of eight bytes.
pub const MEMORY_WORDS: usize = 29;

impl Counters {
    /// Returns whether every packet seen has its outcome.
    #[must_use]
    pub fn balanced(&self) -> bool {
        let others = self.filtered_out.wrapping_add(self.self_traffic.packets);
        self.seen().packets == self.matched().wrapping_add(others)
    }

    /// Returns the packets that the filter accepted, or all but self traffic if there is no filter.
    #[must_use]
    pub fn matched(&self) -> u64 {
        self.shown.wrapping_add(self.sampled_out).wrapping_add(self.lost)
    }

    /// Returns every packet that reached the program, self traffic included: the sum of `protocols`.
    #[must_use]
    pub fn seen(&self) -> Traffic {
        let mut sum = Traffic::default();
        for traffic in self.protocols {
            sum += traffic;
        }
        sum
    }

    /// Returns counters of `traffic` that was all of one protocol. Every outcome is zero.
    #[must_use]
    pub fn all_of(protocol: Protocol, traffic: Traffic) -> Self {
        let mut counters = Self::default();
        counters.protocols[protocol as usize] = traffic;
        counters
    }

    /// Returns the traffic counted under `protocol`.
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
        sum(&mut self.filtered_out, other.filtered_out);
        self.self_traffic += other.self_traffic;
        sum(&mut self.malformed, other.malformed);
        sum(&mut self.multicast, other.multicast);
        sum(&mut self.broadcast, other.broadcast);
        self.flows += other.flows;
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
        assert_eq!(size_of::<Counters>(), 8 * (4 + 2 + 3 + 2 + 2 + 2 * PROTOCOLS));
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
            filtered_out: 5,
            self_traffic: Traffic { packets: 4, bytes: 240 },
            malformed: 9,
            ..Counters::all_of(Protocol::Arp, Traffic { packets: 2, bytes: 120 })
        };
        other_cpu.protocols[Protocol::SctpIpv6 as usize] = Traffic { packets: 12, bytes: 720 };
        sum += other_cpu;
        assert!(sum.balanced());
        assert_eq!(sum.seen(), Traffic { packets: 15, bytes: 900 });
        sum.lost += 1;
        assert!(!sum.balanced());
    }
}
