//! The key of a flow, for the largest talkers.

use core::net::IpAddr;

use crate::packet::ip_address;

/// One direction of a conversation: the key of [`map::FLOWS`](crate::map::FLOWS).
///
/// The values grow and are never reset by the kernel. Take the difference to the last reading, and remove a flow only
/// after it has not grown for some intervals: a removed flow that goes on starts again from zero. A packet without a
/// whole IP header is in no flow.
///
/// The cost under a scan or a flood is bounded: the map is bounded and never evicts, and each CPU makes at most 64 new
/// flows in a tick of the kernel (1 to 10 ms). Everything else is counted in
/// [`Counters::untracked`](crate::Counters::untracked). A flow worth showing has many packets, so one of them gets in.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FlowKey {
    /// As in [`Record::source_address`](crate::Record::source_address).
    pub source_address: [u8; 16],
    /// As `source_address`.
    pub destination_address: [u8; 16],
    /// Host byte order. 0 if the packet has no ports (ICMP, later fragments, …).
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
    /// The source address, `None` if [`version`](FlowKey::version) is neither 4 nor 6.
    #[must_use]
    pub fn source(&self) -> Option<IpAddr> {
        ip_address(self.version, self.source_address)
    }

    /// The destination address, `None` if [`version`](FlowKey::version) is neither 4 nor 6.
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
