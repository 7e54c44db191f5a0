//! Ethernet II and IEEE 802.3 frames, with up to two VLAN tags (IEEE 802.1Q, 802.1ad).

use core::hint::cold_path;

use packet_record::{Fault, Flags, Protocol, Record};

use crate::frame::{be16, copy};
use crate::{Frame, arp, ipv4, ipv6};

/// The length of an Ethernet header without tags.
pub const HEADER: usize = 14;
const TAG: usize = 4;

const CUSTOMER_TAG: u16 = 0x8100;
const SERVICE_TAG: u16 = 0x88a8;
/// The service tag of devices from before 802.1ad.
const OLD_SERVICE_TAG: u16 = 0x9100;

pub(crate) const IPV4: u16 = 0x0800;
const ARP: u16 = 0x0806;
pub(crate) const IPV6: u16 = 0x86dd;

/// Reads the header and what follows it at `offset` of `frame`.
#[inline(always)]
pub(crate) fn parse(
    header: &[u8; HEADER],
    frame: &(impl Frame + ?Sized),
    mut offset: usize,
    record: &mut Record,
) -> Result<(), Fault> {
    record.class = Protocol::OtherEthernet as u8;
    *record.mac_addresses_mut() = copy(header, 0);
    if header[0] & 1 != 0 {
        record.flags |= group(header);
    }

    let mut ethertype = be16(header, 12);
    for _ in 0..2 {
        if !matches!(ethertype, CUSTOMER_TAG | SERVICE_TAG | OLD_SERVICE_TAG) || record.vlan_tags >= 2 {
            break;
        }
        cold_path();
        let Some(tag) = frame.header::<TAG>(offset) else {
            record.ethertype = ethertype;
            return Err(frame.missing(Fault::VlanTruncated));
        };
        if record.vlan_tags == 0 {
            record.vlan[0] = be16(tag, 0);
            if ethertype != CUSTOMER_TAG {
                record.flags |= Flags::SERVICE_TAG;
            }
        } else {
            record.vlan[1] = be16(tag, 0);
        }
        record.vlan_tags += 1;
        ethertype = be16(tag, 2);
        offset += TAG;
    }
    record.ethertype = ethertype;
    match ethertype {
        IPV4 => ipv4::parse(frame, offset, record),
        IPV6 => ipv6::parse(frame, offset, record),
        ARP => arp::parse(frame, offset, record),
        _ => Ok(()),
    }
}

/// Returns whether a destination with the group bit is broadcast or multicast.
#[inline(always)]
fn group(header: &[u8; HEADER]) -> Flags {
    if be16(header, 0) & be16(header, 2) & be16(header, 4) == 0xffff {
        Flags::BROADCAST
    } else {
        Flags::MULTICAST
    }
}
