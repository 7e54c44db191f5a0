//! A packet as the rows show it, free of the kernel record's layout.

mod address;
mod address_text;
mod decode;
mod protocol;

pub use address::{Address, Cast, Mac};
pub use protocol::Protocol;

/// What was read of one packet. Lengths in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// Nanoseconds of `CLOCK_MONOTONIC`, coarse.
    pub time: u64,
    pub source_mac: Mac,
    pub destination_mac: Mac,
    pub source: Address,
    pub destination: Address,
    pub protocol: Protocol,
    /// Length of the network layer's packet: IPv4's total length, IPv6's payload and header; the frame's otherwise.
    pub length: u32,
    /// Length of the whole frame.
    pub frame_length: u32,
    /// IPv4's TTL or IPv6's hop limit; 0 where there is none.
    pub ttl: u8,
    /// 4, 6, or 0 for what is not IP.
    pub version: u8,
    /// 0 where there is none: not TCP, UDP or SCTP, or not the first fragment.
    pub source_port: u16,
    pub destination_port: u16,
    /// VLAN ids, the outer one first.
    pub vlan: Option<u16>,
    pub inner_vlan: Option<u16>,
    /// The low nine bits of the TCP header's bytes 12-13, for a packet that has them.
    pub tcp_flags: Option<u16>,
    /// ICMP's type and code.
    pub icmp: Option<(u8, u8)>,
    /// ARP's operation: 1 request, 2 reply.
    pub arp_operation: Option<u16>,
    pub fragment: Fragment,
    /// What is wrong with the packet; empty for a sound one.
    pub fault: &'static str,
    /// One packet in this many was recorded when this one was.
    pub sampling: u32,
}

/// Whether a packet is part of a fragmented one.
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
