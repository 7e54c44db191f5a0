//! `packet_details`: one row for each packet that is recorded.

use super::{FieldWriter, Origin, Row, Text, UnixNanos};
use crate::packet::{Address, Direction, Mac, Packet};
use crate::vendor;
use std::fmt::{self, Write};

/// A packet with its time and its origin.
///
/// The first ten fields have the names, the order and the types that ebpf-grafana-stream gave them.
#[derive(Debug, Clone, Copy)]
pub struct PacketDetails<'a> {
    pub time: UnixNanos,
    pub packet: &'a Packet,
    pub origin: &'a Origin,
}

impl PacketDetails<'_> {
    fn vendor(&self) -> &'static str {
        if self.packet.has_ethernet { vendor::of(self.packet.source_mac).unwrap_or_default() } else { "" }
    }

    /// Returns a MAC address as a text, which is empty for a frame without an Ethernet header.
    fn mac(&self, mac: Mac) -> Text<17> {
        if self.packet.has_ethernet { mac.text() } else { Text::new() }
    }
}

impl Row for PacketDetails<'_> {
    const MEASUREMENT: &'static str = "packet_details";

    fn time(&self) -> UnixNanos {
        self.time
    }

    fn fields(&self, to: &mut impl FieldWriter) {
        let packet = self.packet;
        to.text("source_mac", self.mac(packet.source_mac).as_str());
        to.text("destination_mac", self.mac(packet.destination_mac).as_str());
        to.text("source_ip", packet.source.text().as_str());
        to.text("destination_ip", packet.destination.text().as_str());
        to.text("protocol", packet.protocol.name().as_str());
        to.integer("length", packet.length.into());
        to.integer("ttl", packet.ttl.into());
        to.integer("version", packet.version.into());
        to.integer("source_port", packet.source_port.into());
        to.integer("destination_port", packet.destination_port.into());

        to.origin(self.origin);
        to.integer("vlan", packet.vlan.map_or(-1, i64::from));
        to.integer("inner_vlan", packet.inner_vlan.map_or(-1, i64::from));
        to.text("tcp_flags", packet.tcp_flags.map(flags).unwrap_or_default().as_str());
        to.text("cast", packet.cast.name());
        to.text("vendor", self.vendor());
        to.text("fragment", packet.fragment.name());
        to.integer("icmp_type", packet.icmp.map_or(-1, |(kind, _)| i64::from(kind)));
        to.integer("icmp_code", packet.icmp.map_or(-1, |(_, code)| i64::from(code)));
        to.integer("arp_operation", packet.arp_operation.map_or(-1, i64::from));
        to.integer("frame_length", packet.frame_length.into());
        to.text("fault", packet.fault);
        to.integer("sampling", packet.sampling.into());
        to.text("direction", packet.direction.name());
    }

    fn describe(&self, to: &mut impl Write) -> fmt::Result {
        self.describe_with(to, &|_| None)
    }
}

impl PacketDetails<'_> {
    /// Writes the row as one line for people, with names instead of the addresses that have one.
    pub(crate) fn describe_with<'n>(
        &self,
        to: &mut impl Write,
        name: &impl Fn(Address) -> Option<&'n str>,
    ) -> fmt::Result {
        let packet = self.packet;
        let source = end(packet.source, packet.source_port, packet.source_mac, name);
        let destination = end(packet.destination, packet.destination_port, packet.destination_mac, name);
        write!(to, "{:<8} {source} -> {destination}  {} B", packet.protocol.name().as_str(), packet.length)?;
        if packet.version != 0 {
            write!(to, " ttl {}", packet.ttl)?;
        }
        if let Some(bits) = packet.tcp_flags {
            write!(to, " [{}]", flags(bits))?;
        }
        if let Some((kind, code)) = packet.icmp {
            write!(to, " type {kind} code {code}")?;
        }
        if let Some(vlan) = packet.vlan {
            write!(to, " vlan {vlan}")?;
        }
        if let Some(vlan) = packet.inner_vlan {
            write!(to, ".{vlan}")?;
        }
        for word in [packet.fragment.name(), packet.fault] {
            if !word.is_empty() {
                write!(to, " {word}")?;
            }
        }
        write!(to, " {}", packet.cast.name())?;
        if packet.direction == Direction::Sent {
            write!(to, " sent")?;
        }
        if !self.vendor().is_empty() {
            write!(to, " ({})", self.vendor())?;
        }
        if packet.sampling > 1 {
            write!(to, " 1 of {}", packet.sampling)?;
        }
        Ok(())
    }
}

/// Returns one end of a packet: `172.16.10.208:50085`, `[fe80::1]:53`, `nas:22`, an address without a port, or the MAC
/// address of a packet that is not IP.
fn end<'n>(address: Address, port: u16, mac: Mac, name: &impl Fn(Address) -> Option<&'n str>) -> Text<64> {
    let mut text = Text::new();
    let address_text = address.text();
    let shown = name(address).unwrap_or(address_text.as_str());
    let _ = match (shown, port) {
        ("", _) => write!(text, "{}", mac.text()),
        (shown, 0) => write!(text, "{shown}"),
        (shown, port) if shown.contains(':') => write!(text, "[{shown}]:{port}"),
        (shown, port) => write!(text, "{shown}:{port}"),
    };
    text
}

/// Names the flags that are set, from the lowest bit of the header to the highest (RFC 9293, section 3.1; RFC 9768 for AE).
fn flags(bits: u16) -> Text<40> {
    const NAMES: [&str; 9] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"];
    let mut text = Text::<40>::new();
    let mut rest = bits & 0x1ff;
    while rest != 0 {
        text.push_ascii(NAMES[rest.trailing_zeros() as usize].as_bytes());
        rest &= rest - 1;
        if rest != 0 {
            text.push_ascii(b" ");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::{Encoder, Encoding};
    use super::*;
    use crate::packet::{Cast, Fragment, Protocol};
    use snapbox::{assert_data_eq, file};

    /// The SSDP packet that the original blog posts show.
    fn ssdp() -> Packet {
        Packet {
            time: 0,
            direction: Direction::Received,
            has_ethernet: true,
            cast: Cast::Multicast,
            source_mac: Mac([0x00, 0x11, 0x32, 0xe5, 0x79, 0x5c]),
            destination_mac: Mac([0x01, 0x00, 0x5e, 0x7f, 0xff, 0xfa]),
            source: Address::V4([172, 16, 10, 208].into()),
            destination: Address::V4([239, 255, 255, 250].into()),
            protocol: Protocol::UDP,
            length: 129,
            frame_length: 143,
            ttl: 1,
            version: 4,
            source_port: 50085,
            destination_port: 1900,
            vlan: None,
            inner_vlan: None,
            tcp_flags: None,
            icmp: None,
            arp_operation: None,
            fragment: Fragment::Whole,
            fault: "",
            sampling: 1,
        }
    }

    fn encoded(packet: &Packet, encoding: Encoding) -> String {
        let origin = Origin::new("rk1-01", "end0");
        let mut encoder = Encoder::new(encoding);
        encoder.encode(&PacketDetails { time: 1_716_570_245_123_456_789, packet, origin: &origin });
        String::from_utf8(encoder.take().body).unwrap()
    }

    #[test]
    fn the_fields_of_the_original_program_come_first() {
        assert_data_eq!(encoded(&ssdp(), Encoding::Line), file!["snapshots/details_line.txt"].raw());
    }

    #[test]
    fn json_has_the_fields_of_the_line() {
        assert_data_eq!(encoded(&ssdp(), Encoding::Json), file!["snapshots/details_json.txt"].raw());
    }

    #[test]
    fn a_table_row_is_one_line_for_people() {
        let handshake = Packet {
            source: Address::V6("2001:db8::1".parse().unwrap()),
            destination: Address::V6("2001:db8::2".parse().unwrap()),
            protocol: Protocol::TCP,
            version: 6,
            vlan: Some(10),
            tcp_flags: Some(0x12),
            sampling: 8,
            ..ssdp()
        };
        let who_has = Packet {
            source: Address::None,
            destination: Address::None,
            protocol: Protocol::ARP,
            version: 0,
            source_port: 0,
            destination_port: 0,
            ..ssdp()
        };
        let lines = [ssdp(), handshake, who_has].map(|packet| encoded(&packet, Encoding::Table)).concat();
        assert_data_eq!(lines, file!["snapshots/details_table.txt"].raw());
    }

    #[test]
    fn all_tcp_flags_fit_into_one_text() {
        assert_eq!(flags(0x1ff).as_str(), "FIN SYN RST PSH ACK URG ECE CWR AE");
    }
}
