//! Addresses and ranges of either family.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use thiserror::Error;

use super::name::Domain;
use crate::config::diagnostics::Mistake;

/// An address type, with the type of its networks.
pub(super) trait Address: Copy + FromStr + Into<IpAddr> {
    type Network: Copy + FromStr + Into<IpNet> + Display;
    const FAMILY: &'static Family;
}

impl Address for Ipv4Addr {
    type Network = Ipv4Net;
    const FAMILY: &'static Family = &IPV4;
}

impl Address for Ipv6Addr {
    type Network = Ipv6Net;
    const FAMILY: &'static Family = &IPV6;
}

/// What messages say about an address family.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Family {
    name: &'static str,
    other: &'static str,
    /// How an address is written.
    form: &'static str,
    /// Which key takes an address of this family.
    key: &'static str,
    address: &'static str,
    host: &'static str,
    /// The prefix length of most networks.
    usual_prefix: u8,
    /// From where to take a range.
    ranges: &'static str,
    special: &'static [(&'static str, IpNet)],
}

const IPV4: Family = Family {
    name: "IPv4",
    other: "IPv6",
    form: "write four numbers from 0 to 255",
    key: "write the IPv4 address; IPv6 addresses belong to the keys that end in `-ipv6`",
    address: "172.16.10.1",
    host: "172.16.10.221/24",
    usual_prefix: 24,
    ranges: "write a range of private addresses (RFC 1918), such as one in `10.0.0.0/8`",
    special: &SPECIAL_IPV4,
};

const IPV6: Family = Family {
    name: "IPv6",
    other: "IPv4",
    form: "write groups of hexadecimal digits between colons",
    key: "write the IPv6 address; IPv4 addresses belong to the key without `-ipv6`",
    address: "fd00:172:16:10::1",
    host: "fd00:172:16:10::221/64",
    usual_prefix: 64,
    ranges: "write a range of unique local addresses (RFC 4193), such as one in `fd00::/8`, or of global addresses",
    special: &SPECIAL_IPV6,
};

/// Addresses that no host can have on a network (RFC 6890, table 1 and following; RFC 1112 for multicast).
const SPECIAL_IPV4: [(&str, IpNet); 5] = [
    ("unspecified", IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 8))),
    ("loopback", IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8))),
    ("link-local", IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 0, 0), 16))),
    ("multicast", IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(224, 0, 0, 0), 4))),
    ("reserved", IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(240, 0, 0, 0), 4))),
];

/// Addresses that cannot be reached from everywhere on the network (RFC 4291, sections 2.4 and 2.5).
const SPECIAL_IPV6: [(&str, IpNet); 5] = [
    ("unspecified", IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128))),
    ("loopback", IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128))),
    ("IPv4-mapped", IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96))),
    ("link-local", IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10))),
    ("multicast", IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8))),
];

#[derive(Debug, PartialEq, Eq, Error)]
pub(super) enum AddressMistake {
    #[error("the address is empty")]
    Empty { example: &'static str },
    #[error("`{text}` is not an {} address", family.name)]
    NotAnAddress { text: String, family: &'static Family },
    #[error("`{text}` is an {} address, not an {} address", family.other, family.name)]
    OtherFamily { text: String, family: &'static Family },
    #[error("`{address}` lacks its prefix length")]
    NoPrefix { address: IpAddr, family: &'static Family },
    #[error("`{text}` is not an {} address with a prefix length", family.name)]
    NotCidr { text: String, family: &'static Family },
    #[error("`{text}` has a prefix length, but only an address is expected")]
    UnwantedPrefix { text: String, address: IpAddr },
    #[error("`{address}` is the {role}, which no host can have")]
    NoHost { address: IpNet, role: &'static str },
    #[error("`{address}` is the address of a host, not a range")]
    HostBits { address: IpNet },
    #[error("`{text}` is {} {kind} address, which other machines cannot reach", article(kind))]
    Special { text: String, kind: &'static str, family: &'static Family },
    #[error("the range `{range}` contains {kind} addresses")]
    SpecialRange { range: IpNet, kind: &'static str, family: &'static Family },
}

impl Mistake for AddressMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::Empty { example } => format!("write an address such as `{example}`"),
            Self::NotAnAddress { text, family } if Domain::parse(text).is_ok() && has_letter(text) => {
                format!("write its address, such as `{}`: names are not resolved", family.address)
            }
            Self::NotAnAddress { family, .. } => format!("{}, such as `{}`", family.form, family.address),
            Self::OtherFamily { family, .. } => family.key.to_owned(),
            Self::NoPrefix { address, family } => {
                format!("write it in CIDR form, such as `{address}/{}`", family.usual_prefix)
            }
            Self::NotCidr { family, .. } => format!("write it in CIDR form, such as `{}`", family.host),
            Self::UnwantedPrefix { address, .. } => format!("write `{address}`"),
            Self::NoHost { address, .. } => host_range(*address),
            Self::HostBits { address } => format!("write `{}`", address.trunc()),
            Self::Special { family, .. } => {
                format!("write the address that the machine has on the network, such as `{}`", family.address)
            }
            Self::SpecialRange { family, .. } => family.ranges.to_owned(),
        };
        Some(instead)
    }
}

fn has_letter(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn article(kind: &str) -> &'static str {
    if kind.starts_with(['I', 'u']) { "an" } else { "a" }
}

/// The hint for an address that no host of a network can have.
pub(super) fn host_range(network: IpNet) -> String {
    match network {
        IpNet::V4(network) => {
            let mut hosts = network.hosts();
            match (hosts.next(), hosts.next_back()) {
                (Some(first), Some(last)) => format!("write an address from {first} to {last}"),
                _ => "write the address of a host".to_owned(),
            }
        }
        IpNet::V6(network) => {
            let first = Ipv6Addr::from_bits(network.network().to_bits() + 1);
            format!("write another address of the network, such as `{first}`")
        }
    }
}

/// What `address` is in its own network if no host can have it.
pub(super) fn role_in_network(address: IpNet) -> Option<&'static str> {
    match address {
        // Networks of one or two addresses have no reserved ones (RFC 3021, RFC 6164).
        IpNet::V4(v4) if v4.prefix_len() >= 31 => None,
        IpNet::V6(v6) if v6.prefix_len() >= 127 => None,
        IpNet::V4(v4) if v4.addr() == v4.network() => Some("network address"),
        IpNet::V4(v4) if v4.addr() == v4.broadcast() => Some("broadcast address"),
        // RFC 4291, section 2.6.1.
        IpNet::V6(v6) if v6.addr() == v6.network() => Some("subnet-router anycast address"),
        _ => None,
    }
}

/// Parses an address without a prefix length: `172.16.10.1`.
pub(super) fn parse_address<A: Address>(text: &str) -> Result<A, AddressMistake> {
    if text.is_empty() {
        return Err(AddressMistake::Empty { example: A::FAMILY.address });
    }
    let address: A = text.parse().map_err(|_| match text.parse::<A::Network>() {
        Ok(cidr) => AddressMistake::UnwantedPrefix { text: text.to_owned(), address: cidr.into().addr() },
        Err(_) => not_an_address::<A>(text),
    })?;
    check_special::<A>(address.into(), text)?;
    Ok(address)
}

/// Parses the address of a host in its network: `172.16.10.221/24`.
pub(super) fn parse_host<A: Address>(text: &str) -> Result<A::Network, AddressMistake> {
    let host = parse_cidr::<A>(text)?;
    let address: IpNet = host.into();
    check_special::<A>(address.addr(), text)?;
    match role_in_network(address) {
        Some(role) => Err(AddressMistake::NoHost { address, role }),
        None => Ok(host),
    }
}

/// Parses a range: `10.42.0.0/16`.
pub(super) fn parse_range<A: Address>(text: &str) -> Result<A::Network, AddressMistake> {
    let parsed = parse_cidr::<A>(text)?;
    let range: IpNet = parsed.into();
    if range.addr() != range.network() {
        return Err(AddressMistake::HostBits { address: range });
    }
    check_special_range(range)?;
    Ok(parsed)
}

/// Refuses a range with addresses that no host can have.
pub(super) fn check_special_range(range: IpNet) -> Result<(), AddressMistake> {
    let family = if range.addr().is_ipv4() { &IPV4 } else { &IPV6 };
    let mut special = family.special.iter();
    match special.find(|(_, special)| special.contains(&range) || range.contains(special)) {
        Some((kind, _)) => Err(AddressMistake::SpecialRange { range, kind, family }),
        None => Ok(()),
    }
}

fn parse_cidr<A: Address>(text: &str) -> Result<A::Network, AddressMistake> {
    if text.is_empty() {
        return Err(AddressMistake::Empty { example: A::FAMILY.host });
    }
    text.parse().map_err(|_| match text.parse::<A>() {
        Ok(address) => AddressMistake::NoPrefix { address: address.into(), family: A::FAMILY },
        Err(_) => match not_an_address::<A>(text) {
            AddressMistake::NotAnAddress { text, family } => AddressMistake::NotCidr { text, family },
            other => other,
        },
    })
}

fn check_special<A: Address>(address: IpAddr, text: &str) -> Result<(), AddressMistake> {
    match A::FAMILY.special.iter().find(|(_, special)| special.contains(&address)) {
        Some((kind, _)) => Err(AddressMistake::Special { text: text.to_owned(), kind, family: A::FAMILY }),
        None => Ok(()),
    }
}

fn not_an_address<A: Address>(text: &str) -> AddressMistake {
    let (text, family) = (text.to_owned(), A::FAMILY);
    let without_prefix = text.split('/').next().unwrap_or(&text);
    // The address type itself was tried before: what parses is of the other family.
    if without_prefix.parse::<A>().is_err() && without_prefix.parse::<IpAddr>().is_ok() {
        AddressMistake::OtherFamily { text, family }
    } else {
        AddressMistake::NotAnAddress { text, family }
    }
}
