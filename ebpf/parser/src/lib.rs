//! Reads the headers of one packet, from Ethernet to transport, into its [`Record`].
//!
//! The same code runs in the kernel, over packet pointers that the verifier tracks, and on the host, over a slice, for
//! tests: see [`Frame`]. It never reads beyond a bound that it has checked, and it never fills a field from padding, from
//! the next header or from another fragment.
#![no_std]
#![expect(
    clippy::inline_always,
    reason = "the verifier tracks packet bounds inside a function, not through calls"
)]

mod arp;
mod ethernet;
mod frame;
mod ipv4;
mod ipv6;
mod transport;

pub use ethernet::HEADER as ETHERNET;
pub use frame::Frame;
use packet_record::{Fault, Flags, Protocol, Record};

/// Reads the headers of `frame` into `record`.
///
/// `record` is all zero except for what the frame itself no longer tells: `frame_length`, and the outer tag if the kernel
/// has taken it off (`vlan[0]`, `vlan_tags`, [`Flags::SERVICE_TAG`](packet_record::Flags::SERVICE_TAG)). `time` and
/// `ratio` stay as they are.
#[inline(always)]
pub fn parse(frame: &(impl Frame + ?Sized), record: &mut Record) {
    match frame.header::<ETHERNET>(0) {
        Some(header) => parse_after(header, frame, ETHERNET, record),
        None => record.fault = frame.missing(Fault::EthernetTruncated) as u8,
    }
}

/// As [`parse`], for a frame whose Ethernet header lies elsewhere. The bytes after the header begin at `offset`.
#[inline(always)]
pub fn parse_after(
    header: &[u8; ETHERNET],
    frame: &(impl Frame + ?Sized),
    offset: usize,
    record: &mut Record,
) {
    if let Err(fault) = ethernet::parse(header, frame, offset, record) {
        record.fault = fault as u8;
    }
}

/// As [`parse`], for a frame that begins with the IP header: that of a tunnel or a point-to-point interface.
///
/// Packets other than IP keep the EtherType that `record` has.
#[inline(always)]
pub fn parse_without_ethernet(frame: &(impl Frame + ?Sized), record: &mut Record) {
    record.flags |= Flags::NO_ETHERNET;
    record.class = Protocol::OtherEthernet as u8;
    let outcome = match frame.header::<1>(0) {
        None => Err(frame.missing(Fault::EthernetTruncated)),
        Some([first]) => match first >> 4 {
            4 => {
                record.ethertype = ethernet::IPV4;
                ipv4::parse(frame, 0, record)
            }
            6 => {
                record.ethertype = ethernet::IPV6;
                ipv6::parse(frame, 0, record)
            }
            _ => Ok(()),
        },
    };
    if let Err(fault) = outcome {
        record.fault = fault as u8;
    }
    record.flags |= cast(record);
}

/// Returns whether the IP destination is a group or all hosts.
#[inline(always)]
fn cast(record: &Record) -> Flags {
    let first = &record.destination_address;
    match record.version {
        4 if first[0] >> 4 == 0xe => Flags::MULTICAST,
        4 if first[0] & first[1] & first[2] & first[3] == 0xff => Flags::BROADCAST,
        6 if first[0] == 0xff => Flags::MULTICAST,
        _ => Flags::default(),
    }
}
