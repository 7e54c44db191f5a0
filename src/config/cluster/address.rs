//! IPv4 addresses and ranges.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use thiserror::Error;

use crate::config::diagnostics::Mistake;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum AddressMistake {
    #[error("no address is written")]
    Empty { example: &'static str },
    #[error("`{text}` is not an IPv4 address")]
    NotAnAddress { text: String },
    #[error("`{text}` is an IPv6 address, where an IPv4 address belongs")]
    Ipv6 { text: String },
    #[error("`{address}` lacks its prefix length")]
    NoPrefix { address: Ipv4Addr },
    #[error("`{text}` is not an address with a prefix length")]
    NotCidr { text: String },
    #[error("`{text}` has a prefix length, which does not belong here")]
    UnwantedPrefix { text: String, address: Ipv4Addr },
    #[error("`{address}` is the address of the network itself")]
    NetworkAddress { address: Ipv4Net },
    #[error("`{address}` is the broadcast address of the network")]
    BroadcastAddress { address: Ipv4Net },
    #[error("`{address}` is an address, not a range")]
    HostBits { address: Ipv4Net },
}

impl Mistake for AddressMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::Empty { example } => format!("write one, such as `{example}`"),
            Self::NotAnAddress { .. } => "write four numbers from 0 to 255, such as `172.16.10.1`".to_owned(),
            Self::Ipv6 { .. } => {
                "write the IPv4 address; a key that ends in `-ipv6`, where there is one, takes the other"
                    .to_owned()
            }
            Self::NoPrefix { address } => format!("write it in CIDR form, such as `{address}/24`"),
            Self::NotCidr { .. } => "write it in CIDR form, such as `172.16.10.221/24`".to_owned(),
            Self::UnwantedPrefix { address, .. } => format!("write `{address}`"),
            Self::NetworkAddress { address } | Self::BroadcastAddress { address } => host_range(*address),
            Self::HostBits { address } => format!("write `{}`", address.trunc()),
        };
        Some(instead)
    }
}

fn host_range(network: Ipv4Net) -> String {
    let mut hosts = network.hosts();
    match (hosts.next(), hosts.next_back()) {
        (Some(first), Some(last)) => format!("write an address from {first} to {last}"),
        _ => "write the address of a host".to_owned(),
    }
}

/// A bare address: `172.16.10.1`.
pub(super) fn parse_address(text: &str) -> Result<Ipv4Addr, AddressMistake> {
    if text.is_empty() {
        return Err(AddressMistake::Empty { example: "172.16.10.1" });
    }
    text.parse().map_err(|_| match text.parse::<Ipv4Net>() {
        Ok(cidr) => AddressMistake::UnwantedPrefix { text: text.to_owned(), address: cidr.addr() },
        Err(_) => not_an_address(text),
    })
}

/// The address of a host in its network: `172.16.10.221/24`.
pub(super) fn parse_host(text: &str) -> Result<Ipv4Net, AddressMistake> {
    let address = parse_cidr(text)?;
    // Networks of one or two addresses have no reserved ones (RFC 3021).
    if address.prefix_len() < 31 && address.addr() == address.network() {
        return Err(AddressMistake::NetworkAddress { address });
    }
    if address.prefix_len() < 31 && address.addr() == address.broadcast() {
        return Err(AddressMistake::BroadcastAddress { address });
    }
    Ok(address)
}

/// A range: `10.42.0.0/16`.
pub(super) fn parse_range(text: &str) -> Result<Ipv4Net, AddressMistake> {
    let range = parse_cidr(text)?;
    if range.addr() == range.network() { Ok(range) } else { Err(AddressMistake::HostBits { address: range }) }
}

fn parse_cidr(text: &str) -> Result<Ipv4Net, AddressMistake> {
    if text.is_empty() {
        return Err(AddressMistake::Empty { example: "172.16.10.221/24" });
    }
    text.parse().map_err(|_| match text.parse::<Ipv4Addr>() {
        Ok(address) => AddressMistake::NoPrefix { address },
        Err(_) if text.contains(':') => not_an_address(text),
        Err(_) => AddressMistake::NotCidr { text: text.to_owned() },
    })
}

fn not_an_address(text: &str) -> AddressMistake {
    let without_prefix = text.split('/').next().unwrap_or(text);
    if without_prefix.parse::<std::net::Ipv6Addr>().is_ok() {
        AddressMistake::Ipv6 { text: text.to_owned() }
    } else {
        AddressMistake::NotAnAddress { text: text.to_owned() }
    }
}
