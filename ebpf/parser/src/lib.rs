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
use packet_record::{Fault, Record};

/// Reads the headers of `frame` into `record`.
///
/// `record` is all zero except for what the frame itself no longer tells: `frame_length`, and the outer tag if the kernel
/// has taken it off (`vlan[0]`, `vlan_tags`, [`Flags::SERVICE_TAG`](packet_record::Flags::SERVICE_TAG)). `time` and
/// `ratio` stay as they are.
#[inline(always)]
pub fn parse(frame: &(impl Frame + ?Sized), record: &mut Record) {
    match frame.header::<ETHERNET>(0) {
        Some(header) => parse_after(header, frame, ETHERNET, record),
        None => record.fault = Fault::EthernetTruncated as u8,
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
