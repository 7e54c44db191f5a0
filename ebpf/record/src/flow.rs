//! Flows: who talks to whom.

use core::net::IpAddr;

use crate::packet::ip_address;

/// The number of flows that compete for the same place in the flow table.
pub const FLOW_WAYS: usize = 4;

/// The binary logarithm of the number of [`FlowSet`]s of each CPU.
pub const FLOW_SET_BITS: u32 = 10;

/// One direction of a conversation.
///
/// A packet without a whole IP header is in no flow.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FlowKey {
    /// As in [`Record::source_address`](crate::Record::source_address).
    pub source_address: [u8; 16],
    /// As `source_address`.
    pub destination_address: [u8; 16],
    /// Host byte order. 0 if the packet has no ports, as with ICMP and later fragments.
    pub source_port: u16,
    /// As `source_port`.
    pub destination_port: u16,
    /// IP protocol number, as in [`Record::protocol`](crate::Record::protocol).
    pub protocol: u8,
    /// 4 or 6.
    pub version: u8,
    /// Zero.
    pub reserved: u16,
}

impl FlowKey {
    /// Returns the source address, or `None` if [`version`](FlowKey::version) is neither 4 nor 6.
    #[must_use]
    pub fn source(&self) -> Option<IpAddr> {
        ip_address(self.version, self.source_address)
    }

    /// Returns the destination address, or `None` if [`version`](FlowKey::version) is neither 4 nor 6.
    #[must_use]
    pub fn destination(&self) -> Option<IpAddr> {
        ip_address(self.version, self.destination_address)
    }
}

/// The flows that compete for the same place: a value of [`map::FLOWS`](crate::map::FLOWS).
///
/// The table of a CPU has `1 << FLOW_SET_BITS` sets, beginning at index `cpu << FLOW_SET_BITS`. A hash of the key, with a
/// seed that is random for each loaded program, chooses the set. A new flow takes the place of the one with the least
/// credit, so it always gets in; each flow gains credit with its own packets and loses some with each new flow in its
/// set. So a scan replaces its own flows, a busy flow stays, and a flow that has ended makes room after a while.
///
/// A flow that is replaced is forgotten: user space knows only the packets that it has read before. All packets of
/// flows are counted in [`Counters::flows`](crate::Counters::flows); the difference is
/// [`Counters::untracked`](crate::Counters::untracked).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowSet {
    pub flows: [FlowEntry; FLOW_WAYS],
}

/// A flow and its totals, which grow until another flow takes its place. An empty entry has no packets.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowEntry {
    /// A number that each new flow of a CPU increases by one. See [`is_whole`](FlowEntry::is_whole).
    pub number: u32,
    /// The right of the flow to keep its place.
    pub credit: u32,
    pub key: FlowKey,
    pub packets: u64,
    /// Frame bytes as in [`Record::frame_length`](crate::Record::frame_length).
    pub bytes: u64,
    /// The time of the first packet, as in [`Record::time`](crate::Record::time).
    pub first_seen: u64,
    /// The time of the last packet, as in [`Record::time`](crate::Record::time).
    pub last_seen: u64,
    /// `number` again.
    pub number_again: u32,
    /// Zero.
    pub reserved: u32,
}

impl FlowEntry {
    /// Returns whether a copy of the entry, which is not empty, belongs to one flow.
    ///
    /// For a new flow the program writes the last field first and the first field last, and the kernel copies from the
    /// first to the last: on x86-64 a copy with equal numbers is not torn. On arm64, where neither order is certain, a
    /// copy may be torn in rare cases, so do not trust totals that exceed what the CPU counted.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.packets > 0 && self.number == self.number_again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_no_padding() {
        assert_eq!(size_of::<FlowKey>(), 16 + 16 + 2 + 2 + 1 + 1 + 2);
        assert_eq!(size_of::<FlowEntry>(), 4 + 4 + size_of::<FlowKey>() + 4 * 8 + 4 + 4);
        assert_eq!(size_of::<FlowSet>(), FLOW_WAYS * size_of::<FlowEntry>());
    }
}
