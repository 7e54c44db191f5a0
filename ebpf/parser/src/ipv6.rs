//! IPv6 (RFC 8200) and its extension headers (IANA "IPv6 Extension Header Types").

use core::hint::cold_path;

use packet_record::{Fault, Flags, Protocol, Record};

use crate::frame::{be16, copy};
use crate::{Frame, transport};

const FIXED: usize = 40;
/// More than RFC 8200 recommends (each once, destination options twice), so that no header hides behind a chain that real
/// network stacks accept.
const MAX_EXTENSIONS: usize = 8;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
/// RFC 4302: the only extension header with a length in words of four bytes.
const AUTHENTICATION: u8 = 51;
const DESTINATION_OPTIONS: u8 = 60;
const MOBILITY: u8 = 135;
const HOST_IDENTITY: u8 = 139;
const SHIM6: u8 = 140;

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "no frame is longer than 4 GiB")]
pub(crate) fn parse(frame: &(impl Frame + ?Sized), offset: usize, record: &mut Record) -> Result<(), Fault> {
    record.class = Protocol::OtherIpv6 as u8;
    let header = frame.header::<FIXED>(offset).ok_or_else(|| frame.missing(Fault::Ipv6Truncated))?;
    if header[0] >> 4 != 6 {
        return Err(Fault::Ipv6Version);
    }
    // Bytes after the payload length are padding. Jumbograms and segmentation offload leave 0: the packet ends with the
    // frame.
    let payload_length = be16(header, 4);
    let (end, length) = match usize::from(payload_length) {
        0 => {
            cold_path();
            (frame.length(), frame.length().wrapping_sub(offset))
        }
        length => (offset + FIXED + length, FIXED + length),
    };
    record.version = 6;
    record.network_length = length as u32;
    record.traffic_class = (header[0] << 4) | (header[1] >> 4);
    record.hop_limit = header[7];
    record.protocol = header[6];
    record.source_address = copy(header, 8);
    record.destination_address = copy(header, 24);

    let payload = extensions(frame, offset + FIXED, end, record)?;
    record.class = class(record.protocol) as u8;
    transport::parse(frame, payload, end, record)
}

/// Walks the extension headers and returns the offset of the upper layer's header. In a later fragment the bytes there
/// are not a header.
#[inline(always)]
fn extensions(
    frame: &(impl Frame + ?Sized),
    mut offset: usize,
    end: usize,
    record: &mut Record,
) -> Result<usize, Fault> {
    // Nearly all packets have no extension header.
    if matches!(record.protocol, transport::TCP | transport::UDP | transport::ICMPV6) {
        return Ok(offset);
    }
    cold_path();
    for _ in 0..MAX_EXTENSIONS {
        let Some(unit) = unit(record.protocol) else { return Ok(offset) };
        // Every extension header is at least eight bytes long.
        let header = frame.header::<8>(offset).ok_or_else(|| frame.missing(Fault::Ipv6ExtensionTruncated))?;
        let length = match record.protocol {
            FRAGMENT => 8,
            // The fixed part alone is longer.
            AUTHENTICATION if header[1] == 0 => return Err(Fault::Ipv6ExtensionTruncated),
            AUTHENTICATION => (usize::from(header[1]) + 2) * unit,
            _ => (usize::from(header[1]) + 1) * unit,
        };
        let next = offset + length;
        if next > end {
            return Err(Fault::Ipv6ExtensionTruncated);
        }
        frame.header::<0>(next).ok_or_else(|| frame.missing(Fault::Ipv6ExtensionTruncated))?;
        let later_fragment = record.protocol == FRAGMENT && fragment(header, record);
        record.protocol = header[0];
        offset = frame.hide(next);
        if later_fragment {
            return Ok(offset);
        }
    }
    if unit(record.protocol).is_none() { Ok(offset) } else { Err(Fault::Ipv6ExtensionCount) }
}

/// Returns the bytes of a word in which an extension header has its length, or `None` for another header.
#[inline(always)]
fn unit(protocol: u8) -> Option<usize> {
    match protocol {
        HOP_BY_HOP | ROUTING | FRAGMENT | DESTINATION_OPTIONS | MOBILITY | HOST_IDENTITY | SHIM6 => Some(8),
        AUTHENTICATION => Some(4),
        _ => None,
    }
}

/// Reads a fragment header and returns whether it belongs to a later fragment. An atomic fragment (RFC 6946) is a whole
/// packet.
#[inline(always)]
fn fragment(header: &[u8; 8], record: &mut Record) -> bool {
    let field = be16(header, 2);
    record.fragment_offset = field & !7;
    if field & 1 != 0 {
        record.flags |= Flags::FRAGMENT | Flags::MORE_FRAGMENTS;
    } else if record.fragment_offset != 0 {
        record.flags |= Flags::FRAGMENT;
    }
    record.fragment_offset != 0
}

#[inline(always)]
fn class(protocol: u8) -> Protocol {
    match protocol {
        transport::TCP => Protocol::TcpIpv6,
        transport::UDP => Protocol::UdpIpv6,
        transport::ICMPV6 => Protocol::Icmpv6,
        transport::SCTP => Protocol::SctpIpv6,
        _ => Protocol::OtherIpv6,
    }
}
