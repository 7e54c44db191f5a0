//! Protocols and their names.

use crate::row::Text;
use std::fmt::Write as _;

/// The protocol of a packet: an IP protocol number, or the ethertype of a packet that is not IP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    Ip(u8),
    Ethertype(u16),
}

impl Protocol {
    pub const ICMP: Self = Self::Ip(1);
    pub const TCP: Self = Self::Ip(6);
    pub const UDP: Self = Self::Ip(17);
    pub const ICMPV6: Self = Self::Ip(58);
    pub const SCTP: Self = Self::Ip(132);
    pub const ARP: Self = Self::Ethertype(0x0806);

    /// Returns IANA's keyword or the usual name of the ethertype, or the number if it has no name.
    #[must_use]
    pub fn name(self) -> Text<16> {
        let mut text = Text::new();
        match self {
            Self::Ip(number) => match IP.get(usize::from(number)) {
                Some(name) => text.push(name),
                None => text.push_integer(number),
            },
            Self::Ethertype(number) => match ethertype(number) {
                Some(name) => text.push(name),
                // A value below 1536 is the length of an IEEE 802.3 frame.
                None if number < 0x0600 => text.push("802.3"),
                None => {
                    let _ = write!(text, "0x{number:04x}");
                }
            },
        }
        text
    }
}

/// Names the ethertypes that ordinary networks carry (IANA, IEEE 802 Numbers).
const fn ethertype(number: u16) -> Option<&'static str> {
    Some(match number {
        0x0800 => "IPv4",
        0x0806 => "ARP",
        0x0842 => "WoL",
        0x8035 => "RARP",
        0x8100 => "802.1Q",
        0x86dd => "IPv6",
        0x8808 => "PAUSE",
        0x8809 => "LACP",
        0x8847 | 0x8848 => "MPLS",
        0x8863 | 0x8864 => "PPPoE",
        0x888e => "802.1X",
        0x88a8 => "802.1ad",
        0x88cc => "LLDP",
        0x88e1 => "HomePlug",
        0x88e5 => "MACsec",
        0x88f7 => "PTP",
        0x893a => "IEEE1905",
        0x9000 => "LOOPBACK",
        _ => return None,
    })
}

/// Keywords of IANA's Assigned Internet Protocol Numbers, 0 to 147.
#[rustfmt::skip]
const IP: [&str; 148] = [
    "HOPOPT", "ICMP", "IGMP", "GGP", "IPv4", "ST", "TCP", "CBT", "EGP", "IGP",
    "BBN-RCC-MON", "NVP-II", "PUP", "ARGUS", "EMCON", "XNET", "CHAOS", "UDP", "MUX", "DCN-MEAS",
    "HMP", "PRM", "XNS-IDP", "TRUNK-1", "TRUNK-2", "LEAF-1", "LEAF-2", "RDP", "IRTP", "ISO-TP4",
    "NETBLT", "MFE-NSP", "MERIT-INP", "DCCP", "3PC", "IDPR", "XTP", "DDP", "IDPR-CMTP", "TP++",
    "IL", "IPv6", "SDRP", "IPv6-Route", "IPv6-Frag", "IDRP", "RSVP", "GRE", "DSR", "BNA",
    "ESP", "AH", "I-NLSP", "SWIPE", "NARP", "Min-IPv4", "TLSP", "SKIP", "ICMPv6", "IPv6-NoNxt",
    "IPv6-Opts", "61", "CFTP", "63", "SAT-EXPAK", "KRYPTOLAN", "RVD", "IPPC", "68", "SAT-MON",
    "VISA", "IPCV", "CPNX", "CPHB", "WSN", "PVP", "BR-SAT-MON", "SUN-ND", "WB-MON", "WB-EXPAK",
    "ISO-IP", "VMTP", "SECURE-VMTP", "VINES", "IPTM", "NSFNET-IGP", "DGP", "TCF", "EIGRP", "OSPFIGP",
    "Sprite-RPC", "LARP", "MTP", "AX.25", "IPIP", "MICP", "SCC-SP", "ETHERIP", "ENCAP", "99",
    "GMTP", "IFMP", "PNNI", "PIM", "ARIS", "SCPS", "QNX", "A/N", "IPComp", "SNP",
    "Compaq-Peer", "IPX-in-IP", "VRRP", "PGM", "114", "L2TP", "DDX", "IATP", "STP", "SRP",
    "UTI", "SMP", "SM", "PTP", "ISIS", "FIRE", "CRTP", "CRUDP", "SSCOPMCE", "IPLT",
    "SPS", "PIPE", "SCTP", "FC", "RSVP-E2E", "Mobility", "UDPLite", "MPLS-in-IP", "manet", "HIP",
    "Shim6", "WESP", "ROHC", "Ethernet", "AGGFRAG", "NSH", "Homa", "BIT-EMU",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_protocol_has_a_name() {
        let names = [Protocol::TCP, Protocol::UDP, Protocol::ICMP, Protocol::ICMPV6, Protocol::SCTP]
            .map(Protocol::name);
        assert_eq!(names.each_ref().map(Text::as_str), ["TCP", "UDP", "ICMP", "ICMPv6", "SCTP"]);
        assert_eq!(Protocol::Ip(255).name().as_str(), "255");
        assert_eq!(Protocol::Ip(89).name().as_str(), "OSPFIGP");
        assert_eq!(Protocol::ARP.name().as_str(), "ARP");
        assert_eq!(Protocol::Ethertype(0x1234).name().as_str(), "0x1234");
        assert_eq!(Protocol::Ethertype(0x0026).name().as_str(), "802.3");
    }
}
