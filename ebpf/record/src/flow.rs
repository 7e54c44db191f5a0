//! The key of a flow, from which the largest talkers are computed.

use core::net::IpAddr;

use crate::packet::ip_address;

/// One direction of a conversation: the key of [`map::FLOWS`](crate::map::FLOWS).
///
/// The values grow, and the kernel never resets them. Take the difference to the last reading, and remove a flow only
/// after it has not grown for some intervals, because a removed flow that continues starts again from zero. A packet
/// without a whole IP header is in no flow.
///
/// The cost of a scan or a flood is bounded: the map never evicts, and each CPU creates at most 64 new flows in a tick
/// of the kernel (1 to 10 ms). All other packets are counted in [`Counters::untracked`](crate::Counters::untracked).
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_no_padding() {
        assert_eq!(size_of::<FlowKey>(), 16 + 16 + 2 + 2 + 1 + 1 + 2);
    }
}
