//! The expected record of a packet, built header by header with another library (etherparse).

use etherparse::{
    ArpPacketSlice, EtherType, Ethernet2Slice, Icmpv4Header, IpAuthHeaderSlice, IpNumber, Ipv4HeaderSlice,
    Ipv6FragmentHeaderSlice, Ipv6HeaderSlice, Ipv6RawExtHeaderSlice, SingleVlanSlice, TcpHeaderSlice,
    UdpHeaderSlice, ether_type, ip_number,
};
use packet_record::{Fault, Flags, Protocol, Record};

const OLD_SERVICE_TAG: EtherType = EtherType(0x9100);

/// Returns the record of `frame` when every packet is shown.
pub(crate) fn record(frame: &[u8]) -> Record {
    let mut record = Record { frame_length: frame.len() as u32, ratio: 1, ..Record::default() };
    if let Err(fault) = ethernet(frame, &mut record) {
        record.fault = fault as u8;
    }
    record
}

fn ethernet(frame: &[u8], record: &mut Record) -> Result<(), Fault> {
    let header = Ethernet2Slice::from_slice_without_fcs(frame).map_err(|_| Fault::EthernetTruncated)?;
    record.destination_mac = header.destination();
    record.source_mac = header.source();
    record.flags = match header.destination() {
        [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => Flags::BROADCAST,
        [first, ..] if first % 2 == 1 => Flags::MULTICAST,
        _ => Flags::default(),
    };
    let mut kind = header.ether_type();
    let mut payload = header.payload_slice();
    while record.vlan_tags < 2
        && [ether_type::VLAN_TAGGED_FRAME, ether_type::PROVIDER_BRIDGING, OLD_SERVICE_TAG].contains(&kind)
    {
        record.ethertype = kind.0;
        let tag = SingleVlanSlice::from_slice(payload).map_err(|_| Fault::VlanTruncated)?;
        let number = u16::from(tag.priority_code_point().value()) << 13
            | u16::from(tag.drop_eligible_indicator()) << 12
            | tag.vlan_identifier().value();
        record.vlan[usize::from(record.vlan_tags)] = number;
        if record.vlan_tags == 0 && kind != ether_type::VLAN_TAGGED_FRAME {
            record.flags |= Flags::SERVICE_TAG;
        }
        record.vlan_tags += 1;
        kind = tag.ether_type();
        payload = tag.payload_slice();
    }
    record.ethertype = kind.0;
    match kind {
        ether_type::ARP => arp(payload, record),
        ether_type::IPV4 => ipv4(payload, record),
        ether_type::IPV6 => ipv6(payload, record),
        _ => Ok(()),
    }
}

fn arp(packet: &[u8], record: &mut Record) -> Result<(), Fault> {
    record.class = Protocol::Arp as u8;
    // etherparse requires the addresses of any length; the record requires those of IPv4 on Ethernet only.
    let fixed = packet.get(..8).ok_or(Fault::ArpTruncated)?;
    if fixed[..6] == [0, 1, 8, 0, 6, 4] {
        let arp = ArpPacketSlice::from_slice(packet).map_err(|_| Fault::ArpTruncated)?;
        record.source_address[..4].copy_from_slice(arp.sender_protocol_addr());
        record.destination_address[..4].copy_from_slice(arp.target_protocol_addr());
        record.arp_operation = arp.operation().0;
        record.flags |= Flags::ARP_ADDRESSES;
    } else {
        record.arp_operation = u16::from_be_bytes([fixed[6], fixed[7]]);
    }
    record.flags |= Flags::ARP;
    Ok(())
}

fn ipv4(packet: &[u8], record: &mut Record) -> Result<(), Fault> {
    use etherparse::err::ipv4::{HeaderError, HeaderSliceError};
    record.class = Protocol::OtherIpv4 as u8;
    // A header whose options are missing has whole fields all the same: etherparse reads it with options of zeros.
    let mut padded = [0; 60];
    let (parsed, is_whole) = match Ipv4HeaderSlice::from_slice(packet) {
        Err(HeaderSliceError::Len(_)) if packet.len() >= 20 => {
            padded[..packet.len().min(60)].copy_from_slice(&packet[..packet.len().min(60)]);
            (Ipv4HeaderSlice::from_slice(&padded), false)
        }
        parsed => (parsed, true),
    };
    let header = parsed.map_err(|error| match error {
        HeaderSliceError::Len(_) => Fault::Ipv4Truncated,
        HeaderSliceError::Content(HeaderError::UnexpectedVersion { .. }) => Fault::Ipv4Version,
        HeaderSliceError::Content(HeaderError::HeaderLengthSmallerThanHeader { .. }) => {
            Fault::Ipv4HeaderLength
        }
    })?;
    let length = header.slice().len();
    let total = usize::from(header.total_len());
    record.version = 4;
    record.network_length = total as u32;
    record.traffic_class = header.dcp().value() << 2 | header.ecn().value();
    record.hop_limit = header.ttl();
    record.protocol = header.protocol().0;
    record.source_address[..4].copy_from_slice(&header.source());
    record.destination_address[..4].copy_from_slice(&header.destination());
    fragment(header.fragments_offset().byte_offset(), header.more_fragments(), record);
    if !is_whole {
        return Err(Fault::Ipv4Truncated);
    }
    if total == 0 {
        record.network_length = packet.len() as u32;
    } else if total < length {
        return Err(Fault::Ipv4TotalLength);
    }
    record.class = match header.protocol() {
        ip_number::ICMP => Protocol::Icmp,
        ip_number::IGMP => Protocol::Igmp,
        ip_number::TCP => Protocol::TcpIpv4,
        ip_number::UDP => Protocol::UdpIpv4,
        ip_number::SCTP => Protocol::SctpIpv4,
        _ => Protocol::OtherIpv4,
    } as u8;
    let end = if total == 0 { packet.len() } else { total.min(packet.len()) };
    transport(&packet[length..end], record)
}

fn ipv6(packet: &[u8], record: &mut Record) -> Result<(), Fault> {
    use etherparse::err::ipv6::HeaderSliceError;
    record.class = Protocol::OtherIpv6 as u8;
    let header = Ipv6HeaderSlice::from_slice(packet).map_err(|error| match error {
        HeaderSliceError::Len(_) => Fault::Ipv6Truncated,
        HeaderSliceError::Content(_) => Fault::Ipv6Version,
    })?;
    record.version = 6;
    record.network_length = match header.payload_length() {
        0 => packet.len() as u32,
        length => u32::from(length) + 40,
    };
    record.traffic_class = header.traffic_class();
    record.hop_limit = header.hop_limit();
    record.source_address = header.source();
    record.destination_address = header.destination();
    let payload = &packet[40..];
    let payload = match usize::from(header.payload_length()) {
        0 => payload,
        length => &payload[..length.min(payload.len())],
    };
    record.protocol = header.next_header().0;
    let payload = extensions(payload, record)?;
    record.class = match IpNumber(record.protocol) {
        ip_number::TCP => Protocol::TcpIpv6,
        ip_number::UDP => Protocol::UdpIpv6,
        ip_number::SCTP => Protocol::SctpIpv6,
        ip_number::IPV6_ICMP => Protocol::Icmpv6,
        _ => Protocol::OtherIpv6,
    } as u8;
    transport(payload, record)
}

/// Returns the bytes after the extension headers, of which there may be eight.
fn extensions<'a>(mut payload: &'a [u8], record: &mut Record) -> Result<&'a [u8], Fault> {
    for walked in 0.. {
        let kind = IpNumber(record.protocol);
        let raw = Ipv6RawExtHeaderSlice::header_type_supported(kind);
        if !raw && kind != ip_number::IPV6_FRAG && kind != ip_number::AUTH {
            break;
        }
        if walked == 8 {
            return Err(Fault::Ipv6ExtensionCount);
        }
        let cut = Fault::Ipv6ExtensionTruncated;
        let (next, length) = if raw {
            let header = Ipv6RawExtHeaderSlice::from_slice(payload).map_err(|_| cut)?;
            (header.next_header(), header.slice().len())
        } else if kind == ip_number::AUTH {
            let header = IpAuthHeaderSlice::from_slice(payload).map_err(|_| cut)?;
            (header.next_header(), header.slice().len())
        } else {
            let header = Ipv6FragmentHeaderSlice::from_slice(payload).map_err(|_| cut)?;
            fragment(header.fragment_offset().byte_offset(), header.more_fragments(), record);
            (header.next_header(), header.slice().len())
        };
        record.protocol = next.0;
        payload = &payload[length..];
        if kind == ip_number::IPV6_FRAG && record.fragment_offset != 0 {
            break;
        }
    }
    Ok(payload)
}

fn fragment(offset: u16, more: bool, record: &mut Record) {
    record.fragment_offset = offset;
    if more {
        record.flags |= Flags::FRAGMENT | Flags::MORE_FRAGMENTS;
    } else if offset != 0 {
        record.flags |= Flags::FRAGMENT;
    }
}

fn transport(segment: &[u8], record: &mut Record) -> Result<(), Fault> {
    use etherparse::err::tcp::{HeaderError, HeaderSliceError};
    let cut = Fault::TransportTruncated;
    if record.fragment_offset != 0 {
        return Ok(());
    }
    match (IpNumber(record.protocol), record.version) {
        (ip_number::TCP, _) => {
            let Some(fixed) = segment.first_chunk::<20>() else {
                partial_ports(segment, record);
                if let Some(flags) = segment.get(12..14) {
                    record.tcp_flags = u16::from_be_bytes([flags[0], flags[1]]) & 0x1ff;
                    record.flags |= Flags::TCP_FLAGS;
                }
                return Err(cut);
            };
            // etherparse also requires whole options and a valid data offset.
            let mut whole = [0; 60];
            whole[..20].copy_from_slice(fixed);
            let wrong_offset = match TcpHeaderSlice::from_slice(&whole) {
                Ok(_) => false,
                Err(HeaderSliceError::Content(HeaderError::DataOffsetTooSmall { .. })) => true,
                Err(HeaderSliceError::Len(_)) => unreachable!("60 bytes are the longest header"),
            };
            whole[12] = 0x50 | whole[12] & 0xf;
            let header = TcpHeaderSlice::from_slice(&whole).unwrap();
            ports(header.source_port(), header.destination_port(), record);
            let flags = [
                header.fin(),
                header.syn(),
                header.rst(),
                header.psh(),
                header.ack(),
                header.urg(),
                header.ece(),
                header.cwr(),
                header.ns(),
            ];
            record.flags |= Flags::TCP_FLAGS;
            record.tcp_flags = (0..).zip(flags).map(|(bit, set)| u16::from(set) << bit).sum();
            if wrong_offset {
                return Err(Fault::TcpDataOffset);
            }
        }
        (ip_number::UDP, _) => {
            partial_ports(segment, record);
            let header = UdpHeaderSlice::from_slice(segment).map_err(|_| cut)?;
            ports(header.source_port(), header.destination_port(), record);
        }
        (ip_number::SCTP, _) => {
            // Not in etherparse: RFC 9260, section 3.1.
            partial_ports(segment, record);
            let header: &[u8; 12] = segment.first_chunk().ok_or(cut)?;
            ports(
                u16::from_be_bytes([header[0], header[1]]),
                u16::from_be_bytes([header[2], header[3]]),
                record,
            );
        }
        (ip_number::ICMP, 4) | (ip_number::IPV6_ICMP, 6) => {
            // etherparse's own slice refuses truncated timestamps, but type and code are whole then.
            if let [kind, code, ..] = segment {
                (record.icmp_type, record.icmp_code) = (*kind, *code);
                record.flags |= Flags::ICMP;
            }
            segment.first_chunk::<{ Icmpv4Header::MIN_LEN }>().ok_or(cut)?;
        }
        _ => {}
    }
    Ok(())
}

fn ports(source: u16, destination: u16, record: &mut Record) {
    record.source_port = source;
    record.destination_port = destination;
    record.flags |= Flags::PORTS;
}

/// Reads the ports at the beginning of a header that may be truncated.
fn partial_ports(segment: &[u8], record: &mut Record) {
    if let [a, b, c, d, ..] = *segment {
        ports(u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]), record);
    }
}
