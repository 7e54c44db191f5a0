//! How control of the host names is proven to Let's Encrypt: by a DNS provider, a webhook, or HTTP-01.

use super::mistake::{BGP_SECRETS, CA_SECRET, CertificateMistake};
use crate::config::cluster::gateway::{Gateway, HostPattern};
use crate::config::cluster::name::{Domain, Label};
use crate::config::cluster::secrets::{KubernetesSecret, SecretLookup};
use crate::config::diagnostics::Problems;
use crate::config::dns_providers::{DnsField, DnsProvider, DnsValueKind, IfAbsent};
use crate::config::source::{Span, Spanned};
use crate::config::written::{self, FreeValue, Issuer, Text};

/// How control of host names is proven to Let's Encrypt.
#[derive(Debug, Clone)]
pub enum Solver {
    Dns(Dns),
    Webhook(Webhook),
    /// HTTP-01, through the gateways.
    Http,
}

/// The DNS provider where cert-manager creates the records that prove control of the domain.
#[derive(Debug, Clone)]
pub struct Dns {
    pub provider: &'static DnsProvider,
    pub zone: Domain,
    /// What the provider's resource gets, in the order of the row.
    pub values: Vec<(&'static str, DnsValue)>,
}

#[derive(Debug, Clone)]
pub enum DnsValue {
    Text(String),
    Secret(KubernetesSecret),
}

/// A webhook that creates the records instead of cert-manager.
#[derive(Debug, Clone)]
pub struct Webhook {
    pub zone: Domain,
    pub group_name: String,
    pub solver_name: String,
    pub config: Option<Spanned<FreeValue>>,
    /// The Kubernetes Secrets that it reads.
    pub secrets: Vec<KubernetesSecret>,
}

impl Solver {
    /// Returns the Kubernetes Secrets that the solver reads.
    pub(super) fn kubernetes_secrets(&self) -> Vec<KubernetesSecret> {
        match self {
            Self::Dns(dns) => {
                let secret = |(_, value): &(_, DnsValue)| match value {
                    DnsValue::Secret(secret) => Some(secret.clone()),
                    DnsValue::Text(_) => None,
                };
                dns.values.iter().filter_map(secret).collect()
            }
            Self::Webhook(webhook) => webhook.secrets.clone(),
            Self::Http => Vec::new(),
        }
    }
}

pub(super) fn is_acme(issuer: Issuer) -> bool {
    matches!(issuer, Issuer::Staging | Issuer::Production)
}

/// What is written to prove control of the domain, in the order of the file: the key, the name in messages and the span.
pub(super) fn solvers(written: &written::Certificates) -> Vec<(String, &'static str, Span)> {
    let dns = written.dns.iter();
    let dns = dns.map(|dns| (format!("[certificates.{}]", dns.provider.key), dns.provider.name, dns.span));
    let webhook = written.webhook.iter();
    let webhook = webhook.map(|webhook| ("[certificates.webhook]".to_owned(), "a webhook", webhook.span));
    let http = written.http_01.iter().filter(|http| http.value);
    let http = http.map(|http| ("http-01".to_owned(), "HTTP-01", http.span));
    let mut solvers: Vec<_> = dns.chain(webhook).chain(http).collect();
    solvers.sort_by_key(|(.., span)| *span);
    solvers
}

/// Resolves everything that is written, and returns one of the solvers.
pub(super) fn resolve_solver(
    written: &written::Certificates,
    gateways: Option<&[Gateway]>,
    cluster_domain: Option<&Domain>,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<Solver> {
    let dns: Vec<_> = written
        .dns
        .iter()
        .map(|dns| resolve_dns(dns, cluster_domain, gateways, secrets, problems).map(Solver::Dns))
        .collect();
    let webhook = written.webhook.as_ref().map(|webhook| {
        resolve_webhook(webhook, cluster_domain, gateways, secrets, problems).map(Solver::Webhook)
    });
    let http = written.http_01.filter(|http| http.value).map(|_| {
        for host in acme_hosts(gateways).filter(|host| matches!(host.value, HostPattern::Wildcard(_))) {
            problems.error(host.span, CertificateMistake::HttpWildcard { host: host.value.clone() });
        }
        Some(Solver::Http)
    });
    dns.into_iter().chain(webhook).chain(http).next()?
}

/// Returns the host names that get a certificate of Let's Encrypt.
fn acme_hosts(gateways: Option<&[Gateway]>) -> impl Iterator<Item = &Spanned<HostPattern>> {
    let gateways = gateways.unwrap_or_default().iter().filter(|gateway| is_acme(gateway.issuer));
    gateways.flat_map(|gateway| &gateway.hosts)
}

fn resolve_webhook(
    written: &written::Webhook,
    cluster_domain: Option<&Domain>,
    gateways: Option<&[Gateway]>,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<Webhook> {
    let mut word = |text: Option<&Text>, key, example| {
        let text = text?;
        if is_word(&text.value) {
            return Some(text.value.clone());
        }
        problems.error(text.span, CertificateMistake::Word { text: text.value.clone(), key, example });
        None
    };
    let group_name = word(written.group_name.as_ref(), "group-name", "acme.example.org");
    let solver_name = word(written.solver_name.as_ref(), "solver-name", "hetzner");
    let zone = match &written.zone {
        Some(text) => {
            let zone = problems.take(text.span, Domain::parse(&text.value));
            note_zone(zone.as_ref(), text, gateways, problems);
            zone
        }
        None => cluster_domain.cloned(),
    };
    let mut made = Some(Vec::new());
    for (name, keys) in written.secrets.iter().flat_map(|secrets| &secrets.0) {
        let is_free = name.value != CA_SECRET && !name.value.starts_with(BGP_SECRETS);
        if !is_free || Label::parse(&name.value).is_err() {
            problems.error(name.span, CertificateMistake::SecretName { text: name.value.clone() });
        }
        for (key, from) in &keys.0 {
            let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            if key.value.is_empty() || !key.value.bytes().all(is_allowed) {
                problems.error(key.span, CertificateMistake::SecretKey { text: key.value.clone() });
            }
            match (secrets.find(from, problems), &mut made) {
                (Some(from), Some(made)) => {
                    made.push(KubernetesSecret::of_cert_manager(&name.value, &key.value, from));
                }
                _ => made = None,
            }
        }
    }
    let config = written.config.clone();
    Some(Webhook { zone: zone?, group_name: group_name?, solver_name: solver_name?, config, secrets: made? })
}

fn resolve_dns(
    written: &written::Dns,
    cluster_domain: Option<&Domain>,
    gateways: Option<&[Gateway]>,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<Dns> {
    let mut zone = cluster_domain.cloned();
    let mut is_complete = true;
    let mut values = Vec::new();
    for (field, text) in &written.values {
        let value = match text {
            Some(text) => resolve_value(field, text, secrets, problems),
            None => match field.default {
                // What is missing has been noted.
                IfAbsent::Required => None,
                IfAbsent::Nothing => continue,
                IfAbsent::Text(text) => Some(DnsValue::Text(text.to_owned())),
                IfAbsent::ClusterDomain => zone.as_ref().map(|zone| DnsValue::Text(zone.to_string())),
            },
        };
        let Some(value) = value else {
            is_complete = false;
            continue;
        };
        if let (DnsValueKind::Domain, DnsValue::Text(domain), Some(text)) = (field.kind, &value, text) {
            zone = Domain::parse(domain).ok();
            note_zone(zone.as_ref(), text, gateways, problems);
        }
        values.extend(field.path.map(|path| (path, value)));
    }
    is_complete.then_some(Dns { provider: written.provider, zone: zone?, values })
}

fn note_zone(zone: Option<&Domain>, text: &Text, gateways: Option<&[Gateway]>, problems: &mut Problems) {
    let Some(zone) = zone else { return };
    if let Some(host) = acme_hosts(gateways).find(|host| !host.value.domain().is_within(zone)) {
        let host = host.value.clone();
        problems.error(text.span, CertificateMistake::OutsideZone { zone: zone.clone(), host });
    }
}

fn resolve_value(
    field: &'static DnsField,
    text: &Text,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<DnsValue> {
    let value = || text.value.clone();
    let (is_right, mistake) = match field.kind {
        DnsValueKind::Secret { name, key } => {
            let from = secrets.find(text, problems)?;
            return Some(DnsValue::Secret(KubernetesSecret::of_cert_manager(name, key, from)));
        }
        DnsValueKind::Domain => {
            let domain = problems.take(text.span, Domain::parse(&text.value))?;
            return Some(DnsValue::Text(domain.to_string()));
        }
        DnsValueKind::Uuid => (is_uuid(&text.value), CertificateMistake::Uuid { text: value() }),
        DnsValueKind::ResourceGroup => {
            (is_resource_group(&text.value), CertificateMistake::ResourceGroup { text: value() })
        }
        DnsValueKind::Word => {
            let (key, example) = (field.key, field.example);
            (is_word(&text.value), CertificateMistake::Word { text: value(), key, example })
        }
        DnsValueKind::Choice(known) => {
            let key = field.key;
            (known.contains(&text.value.as_str()), CertificateMistake::Choice { text: value(), key, known })
        }
    };
    if !is_right {
        problems.error(text.span, mistake);
    }
    is_right.then(|| DnsValue::Text(value()))
}

/// Returns whether a text is printable ASCII without spaces.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// RFC 9562, section 4: 8-4-4-4-12 hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').collect();
    let lengths = groups.iter().map(|group| group.len());
    lengths.eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_resource_group(text: &str) -> bool {
    let is_allowed = |character: char| character.is_alphanumeric() || "-_.()".contains(character);
    (1..=90).contains(&text.chars().count()) && text.chars().all(is_allowed) && !text.ends_with('.')
}
