//! TCP (RFC 9293), UDP (RFC 768), SCTP (RFC 9260), ICMP (RFC 792) and ICMPv6 (RFC 4443).

use packet_record::{Fault, Flags, Record};

use crate::Frame;
use crate::frame::be16;

pub(crate) const ICMP: u8 = 1;
pub(crate) const IGMP: u8 = 2;
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
pub(crate) const ICMPV6: u8 = 58;
pub(crate) const SCTP: u8 = 132;

const TCP_FIXED: usize = 20;
const UDP_FIXED: usize = 8;
const SCTP_FIXED: usize = 12;
/// Every ICMP message has four bytes after its type, code and checksum.
const ICMP_FIXED: usize = 8;

/// Reads the transport header at `offset`. The IP packet ends at `end`; padding may follow.
#[inline(always)]
pub(crate) fn parse(
    frame: &(impl Frame + ?Sized),
    offset: usize,
    end: usize,
    record: &mut Record,
) -> Result<(), Fault> {
    if record.fragment_offset != 0 {
        return Ok(());
    }
    match (record.protocol, record.version) {
        (TCP, _) => {
            let header = header::<TCP_FIXED>(frame, offset, end)?;
            ports(header, record);
            record.tcp_flags = be16(header, 12) & 0x1ff;
            if header[12] >> 4 < 5 {
                return Err(Fault::TcpDataOffset);
            }
        }
        (UDP, _) => ports(header::<UDP_FIXED>(frame, offset, end)?, record),
        (SCTP, _) => ports(header::<SCTP_FIXED>(frame, offset, end)?, record),
        (ICMP, 4) | (ICMPV6, 6) => {
            let header = header::<ICMP_FIXED>(frame, offset, end)?;
            record.icmp_type = header[0];
            record.icmp_code = header[1];
            record.flags |= Flags::ICMP;
        }
        _ => {}
    }
    Ok(())
}

#[inline(always)]
fn header<const N: usize>(
    frame: &(impl Frame + ?Sized),
    offset: usize,
    end: usize,
) -> Result<&[u8; N], Fault> {
    if end < offset + N {
        return Err(Fault::TransportTruncated);
    }
    frame.header(offset).ok_or(Fault::TransportTruncated)
}

#[inline(always)]
fn ports<const N: usize>(header: &[u8; N], record: &mut Record) {
    record.source_port = be16(header, 0);
    record.destination_port = be16(header, 2);
    record.flags |= Flags::PORTS;
}
