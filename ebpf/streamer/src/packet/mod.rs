//! A packet as the rows show it, independent of the layout of the kernel's record.

mod address;
mod decode;
mod protocol;

pub use address::{Address, Cast, Mac};
pub use protocol::Protocol;

/// The header fields of one packet. Lengths are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// Nanoseconds of `CLOCK_MONOTONIC`, as exact as the kernel's coarse clock.
    pub time: u64,
    pub direction: Direction,
    /// Whether the frame has MAC addresses. Frames of tunnels and point-to-point interfaces have none.
    pub has_ethernet: bool,
    pub source_mac: Mac,
    pub destination_mac: Mac,
    pub cast: Cast,
    pub source: Address,
    pub destination: Address,
    pub protocol: Protocol,
    /// Length of the IP packet as its header says, or up to the end of the frame if the header says 0. Length of the frame
    /// if it is not IP.
    pub length: u32,
    /// Length of the frame.
    pub frame_length: u32,
    /// IPv4 TTL or IPv6 hop limit; 0 for a packet that is not IP.
    pub ttl: u8,
    /// 4, 6, or 0 for a packet that is not IP.
    pub version: u8,
    /// 0 for packets without ports: other protocols than TCP, UDP and SCTP, and later fragments.
    pub source_port: u16,
    pub destination_port: u16,
    /// VLAN id of the outer tag.
    pub vlan: Option<u16>,
    /// VLAN id of the inner tag.
    pub inner_vlan: Option<u16>,
    /// The nine flags of a TCP header.
    pub tcp_flags: Option<u16>,
    /// ICMP or ICMPv6 type and code.
    pub icmp: Option<(u8, u8)>,
    /// ARP operation: 1 is a request, 2 a reply.
    pub arp_operation: Option<u16>,
    pub fragment: Fragment,
    /// What is wrong with a broken packet; empty for a valid one.
    pub fault: &'static str,
    /// The sampling ratio when this packet was recorded: one packet in this many.
    pub sampling: u32,
}

/// Whether this host has received or sent a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Received,
    Sent,
}

impl Direction {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Received => "in",
            Self::Sent => "out",
        }
    }
}

/// Whether a packet is a fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fragment {
    Whole,
    First,
    Later,
}

impl Fragment {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Whole => "",
            Self::First => "first",
            Self::Later => "later",
        }
    }
}
