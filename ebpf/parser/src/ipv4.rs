//! IPv4 (RFC 791), with options and fragments.

use core::hint::cold_path;

use packet_record::{Fault, Flags, Protocol, Record};

use crate::frame::{be16, copy};
use crate::{Frame, transport};

const FIXED: usize = 20;
/// The first byte of a header of that length: version 4, five words.
const WITHOUT_OPTIONS: u8 = 0x45;
const MORE_FRAGMENTS: u16 = 1 << 13;
const FRAGMENT_OFFSET: u16 = MORE_FRAGMENTS - 1;

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "no frame is longer than 4 GiB")]
pub(crate) fn parse(frame: &(impl Frame + ?Sized), offset: usize, record: &mut Record) -> Result<(), Fault> {
    record.class = Protocol::OtherIpv4 as u8;
    let header = frame.header::<FIXED>(offset).ok_or_else(|| frame.missing(Fault::Ipv4Truncated))?;
    let length = if header[0] == WITHOUT_OPTIONS { FIXED } else { with_options(header[0])? };

    let total = be16(header, 2);
    record.version = 4;
    record.network_length = u32::from(total);
    record.traffic_class = header[1];
    record.hop_limit = header[8];
    record.protocol = header[9];
    record.source_address[..4].copy_from_slice(&copy::<4, _>(header, 12));
    record.destination_address[..4].copy_from_slice(&copy::<4, _>(header, 16));
    let fragment = be16(header, 6);
    if fragment & (MORE_FRAGMENTS | FRAGMENT_OFFSET) != 0 {
        cold_path();
        record.fragment_offset = (fragment & FRAGMENT_OFFSET) * 8;
        record.flags |= Flags::FRAGMENT;
        if fragment & MORE_FRAGMENTS != 0 {
            record.flags |= Flags::MORE_FRAGMENTS;
        }
    }

    if length > FIXED && frame.header::<0>(offset + length).is_none() {
        return Err(frame.missing(Fault::Ipv4Truncated));
    }
    // Bytes after the total length are padding. Segmentation offload leaves 0: the packet ends with the frame.
    let end = match usize::from(total) {
        0 => {
            cold_path();
            record.network_length = frame.length().wrapping_sub(offset) as u32;
            frame.length()
        }
        total if total < length => return Err(Fault::Ipv4TotalLength),
        total => offset + total,
    };
    record.class = class(record.protocol) as u8;
    transport::parse(frame, offset + length, end, record)
}

/// Returns the length of a header whose first byte is `first`.
#[inline(always)]
fn with_options(first: u8) -> Result<usize, Fault> {
    cold_path();
    if first >> 4 != 4 {
        return Err(Fault::Ipv4Version);
    }
    let length = usize::from(first & 0xf) * 4;
    if length < FIXED {
        return Err(Fault::Ipv4HeaderLength);
    }
    Ok(length)
}

#[inline(always)]
fn class(protocol: u8) -> Protocol {
    match protocol {
        transport::ICMP => Protocol::Icmp,
        transport::IGMP => Protocol::Igmp,
        transport::TCP => Protocol::TcpIpv4,
        transport::UDP => Protocol::UdpIpv4,
        transport::SCTP => Protocol::SctpIpv4,
        _ => Protocol::OtherIpv4,
    }
}
