//! IPv6 addresses and ranges, as typed.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use thiserror::Error;

use crate::config::diagnostics::Mistake;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Ipv6AddressMistake {
    #[error("no address is written")]
    Empty { example: &'static str },
    #[error("`{text}` is not an IPv6 address")]
    NotAnAddress { text: String },
    #[error("`{text}` is an IPv4 address, where an IPv6 address belongs")]
    Ipv4 { text: String },
    #[error("`{address}` lacks its prefix length")]
    NoPrefix { address: Ipv6Addr },
    #[error("`{text}` is not an IPv6 address with a prefix length")]
    NotCidr { text: String },
    #[error("`{text}` has a prefix length, which does not belong here")]
    UnwantedPrefix { text: String, address: Ipv6Addr },
    #[error("`{address}` is the address of every router of the network (RFC 4291, section 2.6.1)")]
    SubnetRouter { address: Ipv6Net },
    #[error("`{address}` is an address, not a range")]
    HostBits { address: Ipv6Net },
    #[error("`{text}` is {kind}, no address that all nodes and routers can reach")]
    Special { text: String, kind: &'static str },
    #[error("`{range}` holds addresses that are {kind}")]
    SpecialRange { range: Ipv6Net, kind: &'static str },
}

impl Mistake for Ipv6AddressMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::Empty { example } => format!("write one, such as `{example}`"),
            Self::NotAnAddress { .. } => {
                format!("write groups of hexadecimal digits between colons, such as `{ADDRESS}`")
            }
            Self::Ipv4 { .. } => {
                "write the IPv6 address; the IPv4 one goes to the key without `-ipv6`".to_owned()
            }
            Self::NoPrefix { address } => format!("write it in CIDR form, such as `{address}/64`"),
            Self::NotCidr { .. } => format!("write it in CIDR form, such as `{CIDR}`"),
            Self::UnwantedPrefix { address, .. } => format!("write `{address}`"),
            Self::SubnetRouter { .. } => format!("write another address of the network, such as `{CIDR}`"),
            Self::HostBits { address } => format!("write `{}`", address.trunc()),
            Self::Special { .. } => format!("write a global or a unique local address, such as `{ADDRESS}`"),
            Self::SpecialRange { .. } => {
                "write a range of global or of unique local addresses (RFC 4193), such as one in `fd00::/8`"
                    .to_owned()
            }
        };
        Some(instead)
    }
}

const ADDRESS: &str = "fd00:172:16:10::1";
const CIDR: &str = "fd00:172:16:10::221/64";

/// What no machine can be reached at from everywhere in the network (RFC 4291, sections 2.4 and 2.5).
const SPECIAL: [(&str, Ipv6Net); 5] = [
    ("unspecified", Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128)),
    ("loopback", Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128)),
    ("IPv4-mapped", Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96)),
    ("link-local", Ipv6Net::new_assert(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10)),
    ("multicast", Ipv6Net::new_assert(Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8)),
];

/// A bare address: `fd00:172:16:10::1`.
pub(super) fn parse_address(text: &str) -> Result<Ipv6Addr, Ipv6AddressMistake> {
    if text.is_empty() {
        return Err(Ipv6AddressMistake::Empty { example: ADDRESS });
    }
    let address = text.parse().map_err(|_| match text.parse::<Ipv6Net>() {
        Ok(cidr) => Ipv6AddressMistake::UnwantedPrefix { text: text.to_owned(), address: cidr.addr() },
        Err(_) => not_an_address(text),
    })?;
    reachable(address, text)
}

/// The address of a host in its network: `fd00:172:16:10::221/64`.
pub(super) fn parse_host(text: &str) -> Result<Ipv6Net, Ipv6AddressMistake> {
    let address = parse_cidr(text)?;
    reachable(address.addr(), text)?;
    // Networks of one or two addresses have none for routers (RFC 6164).
    if address.prefix_len() < 127 && address.addr() == address.network() {
        return Err(Ipv6AddressMistake::SubnetRouter { address });
    }
    Ok(address)
}

/// A range: `fd00:10:42::/56`.
pub(super) fn parse_range(text: &str) -> Result<Ipv6Net, Ipv6AddressMistake> {
    let range = parse_cidr(text)?;
    if range.addr() != range.network() {
        return Err(Ipv6AddressMistake::HostBits { address: range });
    }
    match SPECIAL.iter().find(|(_, special)| special.contains(&range) || range.contains(special)) {
        Some((kind, _)) => Err(Ipv6AddressMistake::SpecialRange { range, kind }),
        None => Ok(range),
    }
}

fn parse_cidr(text: &str) -> Result<Ipv6Net, Ipv6AddressMistake> {
    if text.is_empty() {
        return Err(Ipv6AddressMistake::Empty { example: CIDR });
    }
    text.parse().map_err(|_| match text.parse::<Ipv6Addr>() {
        Ok(address) => Ipv6AddressMistake::NoPrefix { address },
        Err(_) if text.parse::<Ipv4Net>().is_ok() || text.parse::<Ipv4Addr>().is_ok() => not_an_address(text),
        Err(_) => Ipv6AddressMistake::NotCidr { text: text.to_owned() },
    })
}

fn reachable(address: Ipv6Addr, text: &str) -> Result<Ipv6Addr, Ipv6AddressMistake> {
    match SPECIAL.iter().find(|(_, special)| special.contains(&address)) {
        Some((kind, _)) => Err(Ipv6AddressMistake::Special { text: text.to_owned(), kind }),
        None => Ok(address),
    }
}

fn not_an_address(text: &str) -> Ipv6AddressMistake {
    let without_prefix = text.split('/').next().unwrap_or(text);
    if without_prefix.parse::<Ipv4Addr>().is_ok() {
        Ipv6AddressMistake::Ipv4 { text: text.to_owned() }
    } else {
        Ipv6AddressMistake::NotAnAddress { text: text.to_owned() }
    }
}
