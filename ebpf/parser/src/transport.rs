//! TCP (RFC 9293), UDP (RFC 768), SCTP (RFC 9260), ICMP (RFC 792) and ICMPv6 (RFC 4443).

use core::hint::cold_path;

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
        cold_path();
        return Ok(());
    }
    let bytes = Bytes { frame, offset, end };
    // Nearly all headers are whole. Of one that is not, the fields that are whole are read.
    match (record.protocol, record.version) {
        (TCP, _) => match bytes.at::<TCP_FIXED>(0) {
            Ok(header) => {
                ports(header, record);
                tcp_flags(header, 12, record);
                if header[12] >> 4 < 5 {
                    return Err(Fault::TcpDataOffset);
                }
            }
            Err(fault) => {
                cold_path();
                partial_ports(&bytes, record);
                if let Ok(flags) = bytes.at::<2>(12) {
                    tcp_flags(flags, 0, record);
                }
                return Err(fault);
            }
        },
        (UDP, _) => match bytes.at::<UDP_FIXED>(0) {
            Ok(header) => ports(header, record),
            Err(fault) => {
                cold_path();
                partial_ports(&bytes, record);
                return Err(fault);
            }
        },
        (SCTP, _) => match bytes.at::<SCTP_FIXED>(0) {
            Ok(header) => ports(header, record),
            Err(fault) => {
                cold_path();
                partial_ports(&bytes, record);
                return Err(fault);
            }
        },
        (ICMP, 4) | (ICMPV6, 6) => match bytes.at::<ICMP_FIXED>(0) {
            Ok(header) => icmp(header, record),
            Err(fault) => {
                cold_path();
                if let Ok(header) = bytes.at::<2>(0) {
                    icmp(header, record);
                }
                return Err(fault);
            }
        },
        _ => {}
    }
    Ok(())
}

/// The bytes of a transport header, which ends with the IP packet at the latest.
struct Bytes<'a, F: Frame + ?Sized> {
    frame: &'a F,
    offset: usize,
    end: usize,
}

impl<'a, F: Frame + ?Sized> Bytes<'a, F> {
    /// Returns the `N` bytes at `at` of the header.
    #[inline(always)]
    fn at<const N: usize>(&self, at: usize) -> Result<&'a [u8; N], Fault> {
        if self.end < self.offset + at + N {
            return Err(Fault::TransportTruncated);
        }
        self.frame.header(self.offset + at).ok_or_else(|| self.frame.missing(Fault::TransportTruncated))
    }
}

/// Reads the ports of a truncated header, if they are whole.
#[inline(always)]
fn partial_ports(bytes: &Bytes<'_, impl Frame + ?Sized>, record: &mut Record) {
    if let Ok(header) = bytes.at::<4>(0) {
        ports(header, record);
    }
}

#[inline(always)]
fn ports<const N: usize>(header: &[u8; N], record: &mut Record) {
    record.source_port = be16(header, 0);
    record.destination_port = be16(header, 2);
    record.flags |= Flags::PORTS;
}

#[inline(always)]
fn tcp_flags<const N: usize>(header: &[u8; N], at: usize, record: &mut Record) {
    record.tcp_flags = be16(header, at) & 0x1ff;
    record.flags |= Flags::TCP_FLAGS;
}

#[inline(always)]
fn icmp<const N: usize>(header: &[u8; N], record: &mut Record) {
    record.icmp_type = header[0];
    record.icmp_code = header[1];
    record.flags |= Flags::ICMP;
}
