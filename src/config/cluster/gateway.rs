//! `[gateway]` or `[[gateway]]`: the gateways, through which host names are reached from outside.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thiserror::Error;

use super::address::parse_address;
use super::dual::{Addresses, Ipv6Key, Pairs, parsed};
use super::first_use::FirstUse;
use super::name::{Domain, Label};
use super::pool::{Pool, PoolRange};
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::source::{Span, Spanned};
use crate::config::written::{self, Issuer, Routes, Text};

#[derive(Debug, Clone)]
pub struct Gateway {
    pub name: Label,
    /// Its addresses, in the pool.
    pub address: Addresses,
    /// The host names that it serves: at least one. A default has the span of the header.
    pub hosts: Vec<Spanned<HostPattern>>,
    /// The namespaces whose routes it accepts.
    pub routes: Routes,
    /// What signs the certificate of its host names. With [`Issuer::None`] they are served over HTTP.
    pub issuer: Issuer,
}

/// A host name, or all names one label below a domain.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum HostPattern {
    Exact(Domain),
    /// `*.` and the domain.
    Wildcard(Domain),
}

impl HostPattern {
    /// Returns the name itself, or the domain of a wildcard.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        match self {
            Self::Exact(domain) | Self::Wildcard(domain) => domain,
        }
    }

    /// Returns whether a certificate for it is valid for a name (RFC 6125, section 6.4.3).
    #[must_use]
    pub fn serves(&self, name: &Domain) -> bool {
        match self {
            Self::Exact(exact) => exact == name,
            Self::Wildcard(domain) => name.is_child_of(domain),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(domain) => write!(formatter, "{domain}"),
            Self::Wildcard(domain) => write!(formatter, "*.{domain}"),
        }
    }
}

impl Gateway {
    /// Returns the host name that serves a name, and its position.
    #[must_use]
    pub fn serving(&self, name: &Domain) -> Option<(usize, &HostPattern)> {
        let hosts = self.hosts.iter().map(|host| &host.value).enumerate();
        // An exact name takes precedence over a wildcard (Gateway API, `Listener.hostname`).
        hosts
            .filter(|(_, host)| host.serves(name))
            .min_by_key(|(_, host)| matches!(host, HostPattern::Wildcard(_)))
    }

    /// Returns whether its host names are served over HTTPS.
    #[must_use]
    pub fn has_certificate(&self) -> bool {
        self.issuer != Issuer::None
    }

    /// Returns its host names as a list for people.
    #[must_use]
    pub fn listed_hosts(&self) -> String {
        self.hosts.iter().map(|host| host.value.to_string()).collect::<Vec<_>>().join(", ")
    }
}

/// The name of a gateway where none is written.
pub(crate) const DEFAULT_NAME: &str = "shared";

/// The longest name of a gateway. Cilium names its Service `cilium-gateway-` and this, in a label of 63 characters.
const NAME_LIMIT: usize = 48;

#[derive(Debug, Error)]
enum GatewayMistake {
    #[error("the gateway's address {address} is not in the pool {pool}")]
    OutsidePool { address: IpAddr, pool: PoolRange },
    #[error("the gateway's address {address} is in none of the pools")]
    OutsidePools { address: IpAddr, pool: PoolRange },
    #[error("{address} is the first or last address of the pool {pool}, which Cilium does not assign")]
    EdgeOfPool { address: IpAddr, pool: PoolRange },
    #[error(
        "the gateway's addresses are in the pools `{one}` and `{other}`, which are announced in different ways"
    )]
    Split { one: Label, other: Label },
    #[error("no pool has {} addresses, such as {address}", if address.is_ipv6() { "IPv6" } else { "IPv4" })]
    NoFamily { address: IpAddr },
    #[error("`{host}` is not below `{domain}`")]
    OutsideDomain { host: String, domain: Domain },
    #[error(
        "the issuer is `none`: host names are served over HTTP, where everyone on the way reads passwords and cookies"
    )]
    NoCertificates,
    #[error("there is no gateway")]
    NoGateway,
    #[error("`host` and `hosts` are both written")]
    HostAndHosts,
    #[error("`hosts` is empty")]
    NoHosts,
    #[error("two gateways have the {what} `{value}`")]
    Duplicate { what: &'static str, value: String },
    #[error("`{host}` is written twice")]
    DuplicateHost { host: HostPattern },
}

impl Mistake for GatewayMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::OutsidePool { pool, .. } | Self::EdgeOfPool { pool, .. } => {
                let (first, last) = pool.assigned();
                format!("write an address from {first} to {last}")
            }
            Self::OutsidePools { pool, .. } => {
                let (first, last) = pool.assigned();
                format!("write an address of a pool, such as one from {first} to {last}")
            }
            Self::Split { .. } => "write addresses of pools that are announced in the same way".to_owned(),
            Self::NoFamily { .. } => "add a range of this family to a `[[pool]]`".to_owned(),
            Self::OutsideDomain { domain, .. } => {
                format!("write a name below the cluster's domain, such as `hubble.{domain}`")
            }
            Self::NoCertificates => {
                "without a domain of your own, write `self-signed`: the cluster then makes its own authority"
                    .to_owned()
            }
            Self::NoGateway => "add a `[gateway]`".to_owned(),
            Self::HostAndHosts => "keep `hosts`, with all names in it".to_owned(),
            Self::NoHosts => {
                "write at least one name, or remove the key to serve all names below the cluster's domain"
                    .to_owned()
            }
            Self::Duplicate { what: "name", .. } => {
                "give each gateway a `name` of its own: without one it is `shared`".to_owned()
            }
            Self::Duplicate { what, .. } => format!("give each gateway its own {what}"),
            Self::DuplicateHost { .. } => "remove one of them: a host name belongs to one gateway".to_owned(),
        };
        Some(instead)
    }
}

/// What all gateways have in common.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) domain: Option<&'a Domain>,
    pub(super) pools: Option<&'a [Pool]>,
    /// The issuer of gateways that name none.
    pub(super) issuer: Issuer,
}

/// Warns where somebody decides to serve host names unencrypted.
pub(super) fn note_issuer(issuer: Option<Spanned<Issuer>>, problems: &mut Problems) {
    if let Some(issuer) = issuer.filter(|issuer| issuer.value == Issuer::None) {
        problems.warning(issuer.span, GatewayMistake::NoCertificates);
    }
}

/// Resolves all gateways: at least one. `None` if one of them could not be resolved, which has been noted.
pub(super) fn resolve(
    written: &written::Gateways,
    around: Surroundings<'_>,
    pairs: &mut Pairs,
    problems: &mut Problems,
) -> Option<Vec<Gateway>> {
    if written.list.is_empty() {
        problems.error(written.span, GatewayMistake::NoGateway);
        return None;
    }
    let resolved: Vec<_> =
        written.list.iter().map(|gateway| resolve_one(gateway, around, pairs, problems)).collect();
    note_duplicates(&written.list, &resolved, problems);
    resolved.into_iter().collect()
}

fn resolve_one(
    written: &written::Gateway,
    around: Surroundings<'_>,
    pairs: &mut Pairs,
    problems: &mut Problems,
) -> Option<Gateway> {
    let name = match &written.name {
        Some(text) => {
            let name = Label::parse(&text.value).and_then(|label| label.within(NAME_LIMIT));
            problems.take(text.span, name)
        }
        None => Label::parse(DEFAULT_NAME).ok(),
    };
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
        if let Some((address, pools)) = address.zip(around.pools) {
            note_pool(&address, pools, problems);
        }
    }
    if let Some((address, pools)) = address.zip(around.pools) {
        note_families(&address, pools, problems);
    }
    let hosts = resolve_hosts(written, around.domain, problems);
    note_issuer(written.issuer, problems);
    let issuer = written.issuer.map_or(around.issuer, |issuer| issuer.value);
    let routes = written.routes.map_or(Routes::Labelled, |routes| routes.value);
    Some(Gateway { name: name?, address: address?, hosts: hosts?, routes, issuer })
}

fn resolve_hosts(
    written: &written::Gateway,
    cluster_domain: Option<&Domain>,
    problems: &mut Problems,
) -> Option<Vec<Spanned<HostPattern>>> {
    let texts = match (&written.host, &written.hosts) {
        (Some(host), Some(hosts)) => {
            problems.collision(hosts.span, GatewayMistake::HostAndHosts, host.span, "`host`");
            return None;
        }
        (Some(host), None) => std::slice::from_ref(host),
        (None, Some(hosts)) if hosts.value.is_empty() => {
            problems.error(hosts.span, GatewayMistake::NoHosts);
            return None;
        }
        (None, Some(hosts)) => hosts.value.as_slice(),
        (None, None) => {
            let all = HostPattern::Wildcard(cluster_domain?.clone());
            return Some(vec![Spanned::new(all, written.span)]);
        }
    };
    let hosts: Vec<_> = texts.iter().map(|text| parse_host(text, cluster_domain?, problems)).collect();
    hosts.into_iter().collect()
}

fn parse_host(host: &Text, cluster_domain: &Domain, problems: &mut Problems) -> Option<Spanned<HostPattern>> {
    let pattern = match host.value.strip_prefix("*.") {
        Some(below) => Domain::parse(below).map(HostPattern::Wildcard),
        None => Domain::parse(&host.value).map(HostPattern::Exact),
    };
    let pattern = problems.take(host.span, pattern)?;
    note_domain(host, pattern.domain(), cluster_domain, problems);
    Some(Spanned::new(pattern, host.span))
}

fn note_duplicates(written: &[written::Gateway], resolved: &[Option<Gateway>], problems: &mut Problems) {
    let (mut names, mut addresses, mut hosts) =
        (FirstUse::default(), FirstUse::default(), FirstUse::default());
    let mut note = |what, value: String, first: Option<Span>, span| {
        if let Some(first) = first {
            problems.collision(span, GatewayMistake::Duplicate { what, value }, first, "first used here");
        }
    };
    for (written, gateway) in written.iter().zip(resolved) {
        let Some(gateway) = gateway else { continue };
        let span = written.name.as_ref().map_or(written.span, |name| name.span);
        note("name", gateway.name.to_string(), names.earlier(&gateway.name, span), span);
        for is_ipv6 in [false, true] {
            let Some(Spanned { value, span }) = gateway.address.of_family(is_ipv6) else { continue };
            note("address", value.to_string(), addresses.earlier(value, span), span);
        }
    }
    for host in resolved.iter().flatten().flat_map(|gateway| &gateway.hosts) {
        if let Some(first) = hosts.earlier(&host.value, host.span) {
            let mistake = GatewayMistake::DuplicateHost { host: host.value.clone() };
            problems.collision(host.span, mistake, first, "first used here");
        }
    }
}

/// Notes addresses of one gateway in pools that are announced in different ways: Cilium announces a service as a whole.
fn note_families(addresses: &Addresses, pools: &[Pool], problems: &mut Problems) {
    let (Some(v4), Some(v6)) = (addresses.of_family(false), addresses.of_family(true)) else { return };
    let pool_with = |address: IpAddr| pools.iter().find(|pool| pool.assigns(address));
    if let (Some(one), Some(other)) = (pool_with(v4.value), pool_with(v6.value))
        && !one.is_announced_like(other)
    {
        let mistake = GatewayMistake::Split { one: one.name.clone(), other: other.name.clone() };
        problems.collision(v6.span, mistake, v4.span, "its IPv4 address");
    }
}

/// Notes an address that no pool assigns.
fn note_pool(address: &Spanned<IpAddr>, pools: &[Pool], problems: &mut Problems) {
    let wanted = address.value;
    let ranges: Vec<_> = pools
        .iter()
        .flat_map(|pool| &pool.ranges)
        .filter(|range| range.value.is_ipv6() == wanted.is_ipv6())
        .collect();
    if ranges.iter().any(|range| range.value.assigns(wanted)) {
        return;
    }
    let holding = ranges.iter().find(|range| range.value.contains(wanted));
    let (range, mistake) = match (holding, ranges.as_slice()) {
        (Some(range), _) => (range, GatewayMistake::EdgeOfPool { address: wanted, pool: range.value }),
        (None, [range]) => (range, GatewayMistake::OutsidePool { address: wanted, pool: range.value }),
        (None, [range, ..]) => (range, GatewayMistake::OutsidePools { address: wanted, pool: range.value }),
        (None, []) => {
            problems.error(address.span, GatewayMistake::NoFamily { address: wanted });
            return;
        }
    };
    problems.collision(address.span, mistake, range.span, "the pool");
}

pub(super) fn note_domain(host: &Text, parsed: &Domain, cluster_domain: &Domain, problems: &mut Problems) {
    if !parsed.is_within(cluster_domain) {
        let mistake =
            GatewayMistake::OutsideDomain { host: host.value.clone(), domain: cluster_domain.clone() };
        problems.error(host.span, mistake);
    }
}
