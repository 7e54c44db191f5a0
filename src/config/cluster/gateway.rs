//! `[gateway]`: the gateway, through which host names are reached from outside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use thiserror::Error;

use super::address::parse_address;
use super::dual::{Addresses, Ipv6Key, Networks, Pairs, parsed};
use super::name::Domain;
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::source::Spanned;
use crate::config::written::{self, Text};

#[derive(Debug, Clone)]
pub struct Gateway {
    /// Its addresses, in the pool.
    pub address: Addresses,
    /// Its HTTPS listener serves `*.` of this domain.
    pub domain: Domain,
}

#[derive(Debug, Error)]
enum GatewayMistake {
    #[error("the gateway's address {address} is not in the pool {pool}")]
    OutsidePool { address: IpAddr, pool: IpNet },
    #[error("{address} is the first or last address of the pool {pool}, which Cilium does not assign")]
    EdgeOfPool { address: IpAddr, pool: IpNet },
    #[error("`{host}` is not below `{domain}`")]
    OutsideDomain { host: String, domain: Domain },
    #[error("`{host}` is not a wildcard")]
    NotAWildcard { host: String },
}

impl Mistake for GatewayMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::OutsidePool { pool, .. } | Self::EdgeOfPool { pool, .. } => match assignable(*pool) {
                Some((first, last)) => format!("write an address from {first} to {last}"),
                None => "write a larger pool".to_owned(),
            },
            Self::OutsideDomain { domain, .. } => {
                format!("write a name below the cluster's domain, such as `hubble.{domain}`")
            }
            Self::NotAWildcard { .. } => "write `*.` and a domain, such as `*.example.org`".to_owned(),
        };
        Some(instead)
    }
}

pub(super) fn resolve(
    written: &written::Gateway,
    cluster_domain: Option<&Domain>,
    pool: Option<&Networks>,
    pairs: &mut Pairs,
    problems: &mut Problems,
) -> Option<Gateway> {
    let v4 = written.address.as_ref().and_then(|text| parsed(text, parse_address::<Ipv4Addr>, problems));
    let key = Ipv6Key {
        table: "[gateway]",
        header: written.span,
        name: "address-ipv6",
        example: "fd00:10:200:200::1",
        text: written.address_ipv6.as_ref(),
    };
    let address = pairs.join(v4, key, parse_address::<Ipv6Addr>, problems);
    for is_ipv6 in [false, true] {
        let address = address.and_then(|address| address.of_family(is_ipv6));
        if let Some((address, pool)) = address.zip(pool.and_then(|pool| pool.of_family(is_ipv6))) {
            note_pool(&address, &pool, problems);
        }
    }
    let domain = match &written.host {
        Some(host) => cluster_domain.and_then(|domain| wildcard(host, domain, problems)),
        None => cluster_domain.cloned(),
    };
    Some(Gateway { address: address?, domain: domain? })
}

/// The rendered pool excludes its first and last address (`allowFirstLastIPs`).
fn note_pool(address: &Spanned<IpAddr>, pool: &Spanned<IpNet>, problems: &mut Problems) {
    let range = pool.value;
    if !range.contains(&address.value) {
        let mistake = GatewayMistake::OutsidePool { address: address.value, pool: range };
        problems.collision(address.span, mistake, pool.span, "the pool");
    } else if range.prefix_len() < range.max_prefix_len() - 1
        && [range.network(), range.broadcast()].contains(&address.value)
    {
        let mistake = GatewayMistake::EdgeOfPool { address: address.value, pool: range };
        problems.collision(address.span, mistake, pool.span, "the pool");
    }
}

/// The first and the last address that Cilium assigns from a pool.
fn assignable(pool: IpNet) -> Option<(IpAddr, IpAddr)> {
    match pool {
        IpNet::V4(pool) => Some((pool.hosts().next()?.into(), pool.hosts().next_back()?.into())),
        IpNet::V6(pool) if pool.prefix_len() >= 127 => Some((pool.network().into(), pool.broadcast().into())),
        IpNet::V6(pool) => Some((
            Ipv6Addr::from_bits(pool.network().to_bits() + 1).into(),
            Ipv6Addr::from_bits(pool.broadcast().to_bits() - 1).into(),
        )),
    }
}

fn wildcard(host: &Text, cluster_domain: &Domain, problems: &mut Problems) -> Option<Domain> {
    let Some(below) = host.value.strip_prefix("*.") else {
        problems.error(host.span, GatewayMistake::NotAWildcard { host: host.value.clone() });
        return None;
    };
    let domain = problems.take(host.span, Domain::parse(below))?;
    note_domain(host, &domain, cluster_domain, problems);
    Some(domain)
}

pub(super) fn note_domain(host: &Text, parsed: &Domain, cluster_domain: &Domain, problems: &mut Problems) {
    if !parsed.is_within(cluster_domain) {
        let mistake =
            GatewayMistake::OutsideDomain { host: host.value.clone(), domain: cluster_domain.clone() };
        problems.error(host.span, mistake);
    }
}
