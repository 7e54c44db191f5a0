//! The record of one packet.

use core::mem::offset_of;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::ops::{BitOr, BitOrAssign};

use crate::{FlowKey, Protocol};

/// The fields that the program read in one packet: 96 bytes without padding, numbers in host byte order.
///
/// A field that the packet does not have is 0; [`Record::flags`] says which fields it has.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Nanoseconds of `CLOCK_MONOTONIC`, at most two ticks of the kernel (1 to 10 ms each) late. Packets of one tick have
    /// the same time; the ring keeps the order of each CPU's packets. The parser alone leaves 0.
    pub time: u64,
    // The next fields are those of `FlowKey`, in its order: see `Record::flow`.
    /// IPv4: the first four bytes, then zeros. IPv6: all sixteen. ARP for IPv4: the sender's protocol address, as IPv4.
    pub source_address: [u8; 16],
    /// As `source_address`; ARP for IPv4: the target's protocol address.
    pub destination_address: [u8; 16],
    /// The port of TCP, UDP or SCTP, if [`Flags::PORTS`] is set.
    pub source_port: u16,
    /// As `source_port`.
    pub destination_port: u16,
    /// The IP protocol number. IPv4: as in the header. IPv6: after the extension headers that could be read.
    pub protocol: u8,
    /// 4, 6, or 0 if the packet has no whole, valid IP header.
    pub version: u8,
    /// Zero.
    pub flow_reserved: u16,
    // The fields of `FlowKey` end here. The next two are in the order of a frame: see `Record::mac_addresses_mut`.
    pub destination_mac: [u8; 6],
    pub source_mac: [u8; 6],
    /// Bytes from the destination MAC, or from the IP header without Ethernet, to the end of the payload. VLAN tags and padding are included, the frame check
    /// sequence is not. With TCX, segments that GRO has merged are one packet with the length of all.
    pub frame_length: u32,
    /// Bytes of the IP packet as its header says: the IPv4 total length, or the IPv6 payload length plus 40. Where the
    /// header says 0, as segmentation offload leaves it, the bytes up to the end of the frame.
    pub network_length: u32,
    /// The number of packets that this one stands for: [`Control::ratio`](crate::Control::ratio) at the time, or a
    /// multiple of it if the ring was filling.
    pub ratio: u32,
    /// The EtherType after the VLAN tags. A value below 0x0600 is the length of an IEEE 802.3 frame.
    pub ethertype: u16,
    /// The tag control information (3 bits priority, 1 bit drop eligible, 12 bits VLAN id) of the outer and inner tag.
    pub vlan: [u16; 2],
    /// The offset of this fragment's payload in bytes. 0 in a first fragment and in a whole packet.
    pub fragment_offset: u16,
    /// The low nine bits of the TCP header's bytes 12-13: AE CWR ECE URG ACK PSH RST SYN FIN.
    pub tcp_flags: u16,
    /// RFC 826 `ar$op`: 1 request, 2 reply.
    pub arp_operation: u16,
    /// The fields that the packet has.
    pub flags: Flags,
    /// The number of VLAN tags in `vlan`: 0, 1 or 2. A third tag is not read: it is the `ethertype`.
    pub vlan_tags: u8,
    /// IPv4 time to live or IPv6 hop limit.
    pub hop_limit: u8,
    /// IPv4 type of service or IPv6 traffic class: 6 bits DSCP, 2 bits ECN.
    pub traffic_class: u8,
    /// The ICMP or ICMPv6 type, if [`Flags::ICMP`] is set.
    pub icmp_type: u8,
    /// The ICMP or ICMPv6 code, if [`Flags::ICMP`] is set.
    pub icmp_code: u8,
    /// The number of the packet's [`Fault`], or 0: see [`Record::fault`].
    pub fault: u8,
    /// The number of the packet's [`Protocol`] class: see [`Record::class`].
    pub class: u8,
    /// Zero.
    pub reserved: [u8; 3],
}

impl Record {
    /// Reads a record as the ring holds it. Returns `None` if `bytes` is not as long as a record.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != size_of::<Self>() {
            return None;
        }
        // SAFETY: as long as a record, and every byte pattern is a record: integers only, no padding.
        Some(unsafe { bytes.as_ptr().cast::<Self>().read_unaligned() })
    }

    /// Returns the record as the ring holds it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; size_of::<Self>()] {
        // SAFETY: no padding, so every byte is initialised; the lifetime is that of `self`.
        unsafe { &*core::ptr::from_ref(self).cast() }
    }

    /// Returns the key of the packet's flow, which is meaningful if `version` is 4 or 6.
    #[inline]
    #[must_use]
    pub fn flow(&self) -> &FlowKey {
        // SAFETY: from `source_address` to `flow_reserved` the fields are those of `FlowKey`, both `repr(C)` (see the
        // test), and the key's alignment is not above the field's.
        unsafe { &*core::ptr::from_ref(&self.source_address).cast() }
    }

    /// Returns both MAC addresses as a frame begins with them.
    #[inline]
    pub fn mac_addresses_mut(&mut self) -> &mut [u8; 12] {
        // SAFETY: the two fields are bytes, one after the other (see the test). The pointer may reach both, because it
        // comes from the whole record.
        unsafe { &mut *core::ptr::from_mut(self).cast::<u8>().add(offset_of!(Self, destination_mac)).cast() }
    }

    /// Returns the source address of IPv4, IPv6, or ARP for IPv4.
    #[must_use]
    pub fn source(&self) -> Option<IpAddr> {
        ip_address(self.address_version(), self.source_address)
    }

    /// Returns the destination address of IPv4, IPv6, or ARP for IPv4.
    #[must_use]
    pub fn destination(&self) -> Option<IpAddr> {
        ip_address(self.address_version(), self.destination_address)
    }

    fn address_version(&self) -> u8 {
        if self.flags.contains(Flags::ARP_ADDRESSES) { 4 } else { self.version }
    }

    /// Returns what is wrong with the packet, if anything.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        Fault::ALL.into_iter().find(|fault| *fault as u8 == self.fault)
    }

    /// Returns the packet's class, or `None` if the program did not write this record.
    #[must_use]
    pub fn class(&self) -> Option<Protocol> {
        Protocol::ALL.get(usize::from(self.class)).copied()
    }
}

/// The fields that a packet has, one bit each.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u16);

impl Flags {
    /// `source_port` and `destination_port` (TCP, UDP, SCTP; never in a later fragment).
    pub const PORTS: Self = Self(1);
    /// `icmp_type` and `icmp_code`.
    pub const ICMP: Self = Self(1 << 1);
    /// `arp_operation`.
    pub const ARP: Self = Self(1 << 2);
    /// ARP between Ethernet and IPv4: the addresses are those of the ARP packet.
    pub const ARP_ADDRESSES: Self = Self(1 << 3);
    /// The packet is a fragment, first or later.
    pub const FRAGMENT: Self = Self(1 << 4);
    /// More fragments follow.
    pub const MORE_FRAGMENTS: Self = Self(1 << 5);
    /// The outer VLAN tag is a service tag (802.1ad, 0x88a8, or the older 0x9100).
    pub const SERVICE_TAG: Self = Self(1 << 6);
    /// The packet is for a group MAC address other than broadcast.
    pub const MULTICAST: Self = Self(1 << 7);
    /// The packet is for the broadcast MAC address.
    pub const BROADCAST: Self = Self(1 << 8);
    /// The packet has whole `tcp_flags`.
    pub const TCP_FLAGS: Self = Self(1 << 9);
    /// The interface has no Ethernet header: the frame begins with the IP header, and there are no MAC addresses.
    /// [`MULTICAST`](Flags::MULTICAST) and [`BROADCAST`](Flags::BROADCAST) are those of the IP address.
    pub const NO_ETHERNET: Self = Self(1 << 10);
    /// This host has sent the packet.
    pub const SENT: Self = Self(1 << 11);

    /// Returns whether all bits of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Flags {
    type Output = Self;

    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    #[inline]
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// The reason why the parser stopped. Fields before the fault are valid, fields after it are 0.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Fewer than 14 bytes, or none without an Ethernet header.
    EthernetTruncated = 1,
    VlanTruncated = 2,
    ArpTruncated = 3,
    /// The fixed header is cut, or the options are. In the second case the fields of the fixed header are valid.
    Ipv4Truncated = 4,
    /// EtherType IPv4, but the header's version is not 4.
    Ipv4Version = 5,
    /// Header length below 20 bytes.
    Ipv4HeaderLength = 6,
    /// Total length below the header length, and not 0, which segmentation offload leaves. The fields of the header are
    /// valid.
    Ipv4TotalLength = 7,
    Ipv6Truncated = 8,
    /// EtherType IPv6, but the header's version is not 6.
    Ipv6Version = 9,
    /// An extension header ends after the packet, or an authentication header before the end of its fixed part.
    Ipv6ExtensionTruncated = 10,
    /// More than eight extension headers.
    Ipv6ExtensionCount = 11,
    /// The TCP, UDP, SCTP, ICMP or ICMPv6 header ends after the packet. `protocol` is valid, and so are the fields that
    /// are whole: see [`Flags`].
    TransportTruncated = 12,
    /// TCP data offset below 20 bytes. Ports and flags are valid.
    TcpDataOffset = 13,
    /// The headers go on beyond the first buffer of the packet, which is all that the program can read. The packet itself
    /// may have no fault.
    OutOfReach = 14,
}

impl Fault {
    /// All faults.
    pub const ALL: [Self; 14] = [
        Self::EthernetTruncated,
        Self::VlanTruncated,
        Self::ArpTruncated,
        Self::Ipv4Truncated,
        Self::Ipv4Version,
        Self::Ipv4HeaderLength,
        Self::Ipv4TotalLength,
        Self::Ipv6Truncated,
        Self::Ipv6Version,
        Self::Ipv6ExtensionTruncated,
        Self::Ipv6ExtensionCount,
        Self::TransportTruncated,
        Self::TcpDataOffset,
        Self::OutOfReach,
    ];
}

pub(crate) fn address_bytes(address: IpAddr) -> ([u8; 16], u8) {
    match address {
        IpAddr::V4(address) => {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&address.octets());
            (bytes, 4)
        }
        IpAddr::V6(address) => (address.octets(), 6),
    }
}

pub(crate) fn ip_address(version: u8, bytes: [u8; 16]) -> Option<IpAddr> {
    match version {
        4 => Some(Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]).into()),
        6 => Some(Ipv6Addr::from(bytes).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_no_padding() {
        let wide = size_of::<u64>() + 2 * 16 + 2 * 6 + 3 * size_of::<u32>();
        let narrow = size_of::<u16>() * 10 + 9 + 3;
        assert_eq!(size_of::<Record>(), wide + narrow);
        assert_eq!(size_of::<Record>(), 96);
        assert_eq!(align_of::<Record>(), 8);
    }

    #[test]
    fn holds_its_flow_key() {
        let within = |field: usize| field - offset_of!(Record, source_address);
        assert_eq!(within(offset_of!(Record, destination_address)), offset_of!(FlowKey, destination_address));
        assert_eq!(within(offset_of!(Record, source_port)), offset_of!(FlowKey, source_port));
        assert_eq!(within(offset_of!(Record, destination_port)), offset_of!(FlowKey, destination_port));
        assert_eq!(within(offset_of!(Record, protocol)), offset_of!(FlowKey, protocol));
        assert_eq!(within(offset_of!(Record, version)), offset_of!(FlowKey, version));
        assert_eq!(within(offset_of!(Record, flow_reserved)), offset_of!(FlowKey, reserved));
        assert_eq!(within(offset_of!(Record, destination_mac)), size_of::<FlowKey>());
        assert_eq!(offset_of!(Record, source_address) % align_of::<FlowKey>(), 0);
        let record = Record { version: 6, protocol: 17, destination_port: 53, ..Record::default() };
        assert_eq!(
            record.flow(),
            &FlowKey { version: 6, protocol: 17, destination_port: 53, ..FlowKey::default() }
        );
    }

    #[test]
    fn mac_addresses_are_in_the_order_of_a_frame() {
        let mut record = Record::default();
        *record.mac_addresses_mut() = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9];
        let expected = Record {
            destination_mac: [2, 0, 0, 0, 0, 1],
            source_mac: [2, 0, 0, 0, 0, 9],
            ..Record::default()
        };
        assert_eq!(record, expected);
    }

    #[test]
    fn bytes_round_trip() {
        let record = Record {
            time: 7,
            source_address: address_bytes("192.0.2.1".parse().unwrap()).0,
            version: 4,
            fault: Fault::TcpDataOffset as u8,
            ..Record::default()
        };
        assert_eq!(Record::from_bytes(record.as_bytes()), Some(record));
        assert_eq!(Record::from_bytes(&record.as_bytes()[1..]), None);
        assert_eq!(record.source(), Some("192.0.2.1".parse().unwrap()));
        assert_eq!(record.fault(), Some(Fault::TcpDataOffset));
    }
}
