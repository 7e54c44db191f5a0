//! ARP (RFC 826).

use packet_record::{Fault, Flags, Protocol, Record};

use crate::Frame;
use crate::frame::{be16, copy};

const FIXED: usize = 8;
/// Hardware type Ethernet, protocol type IPv4, addresses of 6 and 4 bytes.
const ETHERNET_IPV4: [u8; 6] = [0, 1, 8, 0, 6, 4];
const WITH_ADDRESSES: usize = FIXED + 2 * (6 + 4);

#[inline(always)]
pub(crate) fn parse(frame: &(impl Frame + ?Sized), offset: usize, record: &mut Record) -> Result<(), Fault> {
    record.class = Protocol::Arp as u8;
    let fixed = frame.header::<FIXED>(offset).ok_or_else(|| frame.missing(Fault::ArpTruncated))?;
    if fixed[..6] == ETHERNET_IPV4 {
        let whole =
            frame.header::<WITH_ADDRESSES>(offset).ok_or_else(|| frame.missing(Fault::ArpTruncated))?;
        record.source_address[..4].copy_from_slice(&copy::<4, _>(whole, 14));
        record.destination_address[..4].copy_from_slice(&copy::<4, _>(whole, 24));
        record.flags |= Flags::ARP_ADDRESSES;
    }
    record.arp_operation = be16(fixed, 6);
    record.flags |= Flags::ARP;
    Ok(())
}
