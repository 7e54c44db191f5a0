//! The ranges of a pool.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};

/// A range of a pool, of either family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolRange {
    /// A network. Its first and its last address are not assigned, unless it has only one or two.
    Network(IpNet),
    /// Both ends are assigned.
    Span { first: IpAddr, last: IpAddr },
}

impl PoolRange {
    /// Returns the first and the last address that are assigned. `None` if there is none.
    #[must_use]
    pub fn assigned(&self) -> (IpAddr, IpAddr) {
        match *self {
            Self::Network(network) => {
                let edge = u128::from(network.max_prefix_len() - network.prefix_len() > 1);
                let (first, last) = (bits(network.network()) + edge, bits(network.broadcast()) - edge);
                (address_like(network.network(), first), address_like(network.network(), last))
            }
            Self::Span { first, last } => (first, last),
        }
    }

    /// Returns the networks that together contain all addresses of the range and no other.
    #[must_use]
    pub fn networks(&self) -> Vec<IpNet> {
        match *self {
            Self::Network(network) => vec![network],
            Self::Span { first: IpAddr::V4(first), last: IpAddr::V4(last) } => {
                Ipv4Subnets::new(first, last, 0).map(IpNet::V4).collect()
            }
            Self::Span { first: IpAddr::V6(first), last: IpAddr::V6(last) } => {
                Ipv6Subnets::new(first, last, 0).map(IpNet::V6).collect()
            }
            // A range has one family.
            Self::Span { .. } => Vec::new(),
        }
    }

    /// Returns whether the address belongs to the range, assigned or not.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match *self {
            Self::Network(network) => network.contains(&address),
            Self::Span { first, last } => {
                first.is_ipv4() == address.is_ipv4() && (first..=last).contains(&address)
            }
        }
    }

    /// Returns whether the address is assigned to services.
    #[must_use]
    pub fn assigns(&self, address: IpAddr) -> bool {
        let (first, last) = self.assigned();
        self.contains(address) && (first..=last).contains(&address)
    }

    #[must_use]
    pub fn is_ipv6(&self) -> bool {
        self.ends().0.is_ipv6()
    }

    pub(in crate::config::cluster) fn overlaps(&self, other: &Self) -> bool {
        let ((first, last), (other_first, other_last)) = (self.ends(), other.ends());
        self.is_ipv6() == other.is_ipv6() && first <= other_last && other_first <= last
    }

    /// Returns its first and its last address, assigned or not.
    pub(in crate::config::cluster) fn ends(&self) -> (IpAddr, IpAddr) {
        match *self {
            Self::Network(network) => (network.network(), network.broadcast()),
            Self::Span { first, last } => (first, last),
        }
    }
}

impl fmt::Display for PoolRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => write!(formatter, "{network}"),
            Self::Span { first, last } => write!(formatter, "{first}-{last}"),
        }
    }
}

/// Returns an address as a number.
#[must_use]
pub fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// Returns the address with a number, in the family of another address.
#[must_use]
pub fn address_like(other: IpAddr, bits: u128) -> IpAddr {
    match other {
        // Numbers of IPv4 come from addresses of IPv4.
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(bits).unwrap_or(u32::MAX))),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(bits)),
    }
}
