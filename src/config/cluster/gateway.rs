//! The way in from outside: the shared gateway, its certificates, and the host names behind it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use thiserror::Error;

use super::Unresolved;
use super::address::parse_address;
use super::dual::{Addresses, Ipv6Key, Networks, Pairs, parsed};
use super::name::Domain;
use super::secrets::{SecretLookup, SecretName};
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::source::Spanned;
use crate::config::written::{self, ClusterFile, Environment, Issuer, Text};

#[derive(Debug, Clone)]
pub struct Gateway {
    /// Its addresses, in the pool.
    pub address: Addresses,
    /// Its HTTPS listener serves `*.` of this domain.
    pub domain: Domain,
}

#[derive(Debug, Clone)]
pub struct Certificates {
    pub issuer: Issuer,
    pub email: Option<String>,
    pub azure_dns: AzureDns,
}

/// A DNS zone in Azure, and the service principal that may change it.
#[derive(Debug, Clone)]
pub struct AzureDns {
    pub subscription_id: String,
    pub tenant_id: String,
    pub client_id: String,
    pub client_secret: SecretName,
    pub resource_group: String,
    pub zone: Domain,
    pub environment: Environment,
}

#[derive(Debug, Error)]
enum GatewayMistake {
    #[error("the gateway's address {address} is not in the pool {pool}")]
    OutsidePool { address: IpAddr, pool: IpNet },
    #[error("{address} is the first or last address of the pool {pool}, which are not given out")]
    EdgeOfPool { address: IpAddr, pool: IpNet },
    #[error("`{host}` is not below `{domain}`")]
    OutsideDomain { host: String, domain: Domain },
    #[error("`{host}` does not stand for all names below a domain")]
    NotAWildcard { host: String },
    #[error("`{host}` is not served by a gateway for `*.{domain}`")]
    NotServed { host: Domain, domain: Domain },
    #[error("the zone `{zone}` does not hold `*.{domain}`")]
    OutsideZone { zone: Domain, domain: Domain },
    #[error("`{text}` is not a UUID")]
    Uuid { text: String },
    #[error("`{text}` is not an e-mail address")]
    Email { text: String },
    #[error("`{text}` is not the name of a resource group")]
    ResourceGroup { text: String },
}

impl Mistake for GatewayMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::OutsidePool { pool, .. } | Self::EdgeOfPool { pool, .. } => match given_out(*pool) {
                Some((first, last)) => format!("write an address from {first} to {last}"),
                None => "write a larger pool".to_owned(),
            },
            Self::OutsideDomain { domain, .. } => {
                format!("write a name below the cluster's domain, such as `hubble.{domain}`")
            }
            Self::NotAWildcard { .. } => "write it with `*.` in front, such as `*.example.org`".to_owned(),
            Self::NotServed { domain, .. } => {
                format!("a wildcard stands for one label: write a name such as `hubble.{domain}`")
            }
            Self::OutsideZone { domain, .. } => format!("write `{domain}`, or a domain above it"),
            Self::Uuid { .. } => {
                "write it as `az account show` prints it: 8-4-4-4-12 hexadecimal digits".to_owned()
            }
            Self::Email { .. } => "write an address such as `admin@example.org`, or leave it out".to_owned(),
            Self::ResourceGroup { .. } => {
                "write 1 to 90 letters, digits, `-`, `_`, `.` or parentheses, with no dot at the end"
                    .to_owned()
            }
        };
        Some(instead)
    }
}

pub(super) fn resolve_gateway(
    typed: &written::Gateway,
    cluster_domain: Option<&Domain>,
    pool: Option<&Networks>,
    pairs: &mut Pairs,
    problems: &mut Problems,
) -> Option<Gateway> {
    let v4 = typed.address.as_ref().and_then(|text| parsed(text, parse_address::<Ipv4Addr>, problems));
    let key = Ipv6Key {
        table: "[gateway]",
        header: typed.span,
        name: "address-ipv6",
        example: "fd00:10:200:200::1",
        text: typed.address_ipv6.as_ref(),
    };
    let address = pairs.join(v4, key, parse_address::<Ipv6Addr>, problems);
    for is_ipv6 in [false, true] {
        let address = address.and_then(|address| address.of_family(is_ipv6));
        if let Some((address, pool)) = address.zip(pool.and_then(|pool| pool.of_family(is_ipv6))) {
            note_pool(&address, &pool, problems);
        }
    }
    let domain = match &typed.host {
        Some(host) => cluster_domain.and_then(|domain| wildcard(host, domain, problems)),
        None => cluster_domain.cloned(),
    };
    Some(Gateway { address: address?, domain: domain? })
}

/// Cilium is told not to give out the first and the last address of the pool (`allowFirstLastIPs`).
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

/// The first and the last address that a pool gives out.
fn given_out(pool: IpNet) -> Option<(IpAddr, IpAddr)> {
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

fn note_domain(host: &Text, parsed: &Domain, cluster_domain: &Domain, problems: &mut Problems) {
    if !parsed.is_within(cluster_domain) {
        let mistake =
            GatewayMistake::OutsideDomain { host: host.value.clone(), domain: cluster_domain.clone() };
        problems.error(host.span, mistake);
    }
}

/// Host name of Hubble's page, one of those that the gateway serves, unless it is switched off.
pub(super) fn resolve_hubble(
    typed: Option<&written::Hubble>,
    gateway: Option<&Gateway>,
    cluster_domain: Option<&Domain>,
    problems: &mut Problems,
) -> Result<Option<Domain>, Unresolved> {
    if typed.and_then(|typed| typed.enable.as_ref()).is_some_and(|enable| !enable.value) {
        return Ok(None);
    }
    let Some(text) = typed.and_then(|typed| typed.host.as_ref()) else {
        return gateway.map(|gateway| Some(gateway.domain.child("hubble"))).ok_or(Unresolved);
    };
    let host = problems.take(text.span, Domain::parse(&text.value)).ok_or(Unresolved)?;
    let cluster_domain = cluster_domain.ok_or(Unresolved)?;
    note_domain(text, &host, cluster_domain, problems);
    let gateway = &gateway.ok_or(Unresolved)?.domain;
    if host.is_within(cluster_domain) && !host.is_child_of(gateway) {
        let mistake = GatewayMistake::NotServed { host: host.clone(), domain: gateway.clone() };
        problems.error(text.span, mistake);
    }
    Ok(Some(host))
}

pub(super) fn resolve_certificates(
    file: &ClusterFile,
    gateway: Option<&Gateway>,
    cluster_domain: Option<&Domain>,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<Certificates> {
    let typed = file.certificates.as_ref()?;
    if let Some(email) = typed.email.as_ref().filter(|email| !is_email(&email.value)) {
        problems.error(email.span, GatewayMistake::Email { text: email.value.clone() });
    }
    let azure_dns = resolve_azure_dns(typed.azure_dns.as_ref()?, cluster_domain, gateway, secrets, problems);
    Some(Certificates {
        issuer: typed.issuer.as_ref().map_or(Issuer::Production, |issuer| issuer.value),
        email: typed.email.as_ref().map(|email| email.value.clone()),
        azure_dns: azure_dns?,
    })
}

fn resolve_azure_dns(
    typed: &written::AzureDns,
    cluster_domain: Option<&Domain>,
    gateway: Option<&Gateway>,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<AzureDns> {
    let mut uuid =
        |text: Option<&Text>| text.and_then(|text| problems.take(text.span, parse_uuid(&text.value)));
    let subscription_id = uuid(typed.subscription_id.as_ref());
    let tenant_id = uuid(typed.tenant_id.as_ref());
    let client_id = uuid(typed.client_id.as_ref());
    let client_secret = typed.client_secret.as_ref().and_then(|text| secrets.find(text, problems));
    let resource_group = typed
        .resource_group
        .as_ref()
        .and_then(|text| problems.take(text.span, parse_resource_group(&text.value)));
    let zone = match &typed.zone {
        Some(text) => {
            let zone = problems.take(text.span, Domain::parse(&text.value));
            if let (Some(zone), Some(gateway)) = (&zone, gateway)
                && !gateway.domain.is_within(zone)
            {
                let mistake =
                    GatewayMistake::OutsideZone { zone: zone.clone(), domain: gateway.domain.clone() };
                problems.error(text.span, mistake);
            }
            zone
        }
        None => cluster_domain.cloned(),
    };
    Some(AzureDns {
        subscription_id: subscription_id?,
        tenant_id: tenant_id?,
        client_id: client_id?,
        client_secret: client_secret?,
        resource_group: resource_group?,
        zone: zone?,
        environment: typed.environment.as_ref().map_or(Environment::Public, |choice| choice.value),
    })
}

/// RFC 9562, section 4: 8-4-4-4-12 hexadecimal digits.
fn parse_uuid(text: &str) -> Result<String, GatewayMistake> {
    let groups: Vec<_> = text.split('-').collect();
    let lengths = groups.iter().map(|group| group.len());
    let is_uuid = lengths.eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if is_uuid { Ok(text.to_owned()) } else { Err(GatewayMistake::Uuid { text: text.to_owned() }) }
}

/// Azure's naming rules for `Microsoft.Resources/resourcegroups`.
fn parse_resource_group(text: &str) -> Result<String, GatewayMistake> {
    let is_allowed = |character: char| character.is_alphanumeric() || "-_.()".contains(character);
    let is_name =
        (1..=90).contains(&text.chars().count()) && text.chars().all(is_allowed) && !text.ends_with('.');
    if is_name { Ok(text.to_owned()) } else { Err(GatewayMistake::ResourceGroup { text: text.to_owned() }) }
}

fn is_email(text: &str) -> bool {
    let is_plain =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control());
    text.rsplit_once('@').is_some_and(|(user, host)| is_plain(user) && is_plain(host) && host.contains('.'))
}
