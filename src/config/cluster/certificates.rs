//! `[certificates]`: certificates for the gateways' host names.

use std::net::{IpAddr, SocketAddr};

use thiserror::Error;
use url::Url;

use super::gateway::{Gateway, HostPattern, note_issuer};
use super::name::{Domain, Label};
use super::secrets::{KubernetesSecret, SecretLookup};
use crate::common::nearest::nearest;
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::dns_providers::{DNS_PROVIDERS, DnsField, DnsProvider, DnsValueKind, IfAbsent};
use crate::config::source::{Span, Spanned};
use crate::config::written::{self, FreeValue, Issuer, Text};

#[derive(Debug, Clone)]
pub struct Certificates {
    pub email: Option<String>,
    /// How control of host names is proven to Let's Encrypt. `None` if no gateway has a certificate of Let's Encrypt.
    pub solver: Option<Solver>,
    /// The certificate and the key of one's own authority. `None` if no gateway has a certificate of it.
    pub ca: Option<[KubernetesSecret; 2]>,
    /// Name servers by which cert-manager checks that a record is visible: `address:port`, or a URL of DNS over HTTPS.
    /// Those of the cluster if there is none.
    pub recursive_nameservers: Vec<String>,
    /// Helm values of the user, merged over the rendered ones.
    pub values: Option<Spanned<FreeValue>>,
}

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

impl Certificates {
    /// Returns the Kubernetes Secrets that cert-manager reads.
    pub(super) fn kubernetes_secrets(&self) -> Vec<KubernetesSecret> {
        let of_solver: Vec<_> = match &self.solver {
            Some(Solver::Dns(dns)) => dns
                .values
                .iter()
                .filter_map(|(_, value)| match value {
                    DnsValue::Secret(secret) => Some(secret.clone()),
                    DnsValue::Text(_) => None,
                })
                .collect(),
            Some(Solver::Webhook(webhook)) => webhook.secrets.clone(),
            Some(Solver::Http) | None => Vec::new(),
        };
        of_solver.into_iter().chain(self.ca.iter().flatten().cloned()).collect()
    }
}

/// The name servers by which cert-manager checks that its record is visible from outside. The local router may answer
/// differently for the cluster's domain.
const RECURSIVE_NAMESERVERS: [&str; 2] = ["1.1.1.1:53", "1.0.0.1:53"];

/// The Secret with the certificate and the key of one's own authority.
pub(crate) const CA_SECRET: &str = "certificate-authority";

/// How the Secrets of BGP passwords begin.
const BGP_SECRETS: &str = "bgp-";

#[derive(Debug, Error)]
enum CertificateMistake {
    #[error("`[certificates]` lacks the table of a DNS provider")]
    NoProvider,
    #[error("`[certificates]` proves control of the domain in two ways: by {first} and by {second}")]
    TwoSolvers { first: &'static str, second: &'static str },
    #[error("`{what}` has no effect: no gateway has the issuer {issuer}")]
    Unused { what: String, issuer: &'static str },
    #[error("the issuer `ca` needs `[certificates.ca]`")]
    NoAuthority,
    #[error("HTTP-01 cannot prove control of the wildcard `{host}`")]
    HttpWildcard { host: HostPattern },
    #[error("`{text}` is not a name server")]
    Nameserver { text: String },
    #[error("`{text}` cannot be the name of a Kubernetes Secret here")]
    SecretName { text: String },
    #[error("`{text}` cannot be a key of a Kubernetes Secret")]
    SecretKey { text: String },
    #[error("the zone `{zone}` does not contain `{host}`")]
    OutsideZone { zone: Domain, host: HostPattern },
    #[error("Let's Encrypt issues no certificate for `{domain}`: `.{top}` is not a public domain")]
    NotPublic { domain: Domain, top: String },
    #[error("`{text}` is not a UUID")]
    Uuid { text: String },
    #[error("`{text}` is not an e-mail address")]
    Email { text: String },
    #[error("`{text}` is not a name of a resource group")]
    ResourceGroup { text: String },
    #[error("`{text}` is not a value of `{key}`")]
    Word { text: String, key: &'static str, example: &'static str },
    #[error("`{text}` is not a value of `{key}`")]
    Choice { text: String, key: &'static str, known: &'static [&'static str] },
}

impl Mistake for CertificateMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::NoProvider => {
                let tables: Vec<_> =
                    DNS_PROVIDERS.iter().map(|row| format!("`[certificates.{}]`", row.key)).collect();
                format!(
                    "add one of {}, or `[certificates.webhook]` for another provider, or `http-01 = true` if the gateway \
                     is reachable from the Internet; without Let's Encrypt, set `issuer` to `self-signed`, `ca` or `none`",
                    tables.join(", ")
                )
            }
            Self::TwoSolvers { .. } => "keep one of the two".to_owned(),
            Self::Unused { issuer, .. } => format!("remove it, or set `issuer` to {issuer}"),
            Self::NoAuthority => {
                "add `[certificates.ca]` with `certificate` and `key`, or write `self-signed`: the cluster then makes an \
                 authority of its own"
                    .to_owned()
            }
            Self::HttpWildcard { .. } => {
                "list each name in `hosts` of the gateway, or prove control by a DNS provider".to_owned()
            }
            Self::Nameserver { .. } => {
                "write an address such as `1.1.1.1` or `9.9.9.9:9953`, or a URL such as `https://1.1.1.1/dns-query`"
                    .to_owned()
            }
            Self::SecretName { .. } => format!(
                "write a DNS label such as `hetzner-dns`, other than `{CA_SECRET}`, that does not begin with `{BGP_SECRETS}`"
            ),
            Self::SecretKey { .. } => "write letters, digits, `-`, `_` and `.`, such as `api-key`".to_owned(),
            Self::OutsideZone { host, .. } => format!("write `{}`, or a domain above it", host.domain()),
            Self::NotPublic { .. } => {
                "write a domain that you have registered: the records stay in its public DNS, and the addresses may be \
                 private; or set `issuer` to `self-signed` or `ca`"
                    .to_owned()
            }
            Self::Uuid { .. } => {
                "write it as `az account show` prints it: 8-4-4-4-12 hexadecimal digits".to_owned()
            }
            Self::Email { .. } => {
                "write an address such as `admin@example.org`, or remove the key".to_owned()
            }
            Self::ResourceGroup { .. } => {
                "write 1 to 90 letters, digits, `-`, `_`, `.` or parentheses, with no dot at the end"
                    .to_owned()
            }
            Self::Word { example, .. } => format!("write a word without spaces, such as `{example}`"),
            Self::Choice { text, known, .. } => match nearest(text, known.iter().copied()) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("write one of `{}`", known.join("`, `")),
            },
        };
        Some(instead)
    }
}

/// Returns the issuer of gateways that name none.
pub(super) fn default_issuer(written: Option<&written::Certificates>) -> Issuer {
    written.and_then(|written| written.issuer).map_or(Issuer::Production, |issuer| issuer.value)
}

fn is_acme(issuer: Issuer) -> bool {
    matches!(issuer, Issuer::Staging | Issuer::Production)
}

pub(super) fn resolve(
    written: &written::Certificates,
    gateways: Option<&[Gateway]>,
    cluster_domain: Option<&Domain>,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<Certificates> {
    let email = written.email.as_ref();
    if let Some(email) = email.filter(|email| !is_email(&email.value)) {
        problems.error(email.span, CertificateMistake::Email { text: email.value.clone() });
    }
    let issuers: Vec<_> = match gateways {
        Some(gateways) => gateways.iter().map(|gateway| gateway.issuer).collect(),
        None => vec![default_issuer(Some(written))],
    };
    // All tables are resolved, so that every mistake is noted.
    let solver = resolve_solver(written, gateways, cluster_domain, secrets, problems);
    let solvers = solvers(written);
    let uses_acme = issuers.iter().copied().any(is_acme);
    match solvers.as_slice() {
        [] if uses_acme => problems.error(written.span, CertificateMistake::NoProvider),
        [(_, first, first_span), (_, second, span), ..] => {
            problems.collision(
                *span,
                CertificateMistake::TwoSolvers { first, second },
                *first_span,
                "the first one",
            );
        }
        [(key, _, span)] if !uses_acme => {
            let what = (*key).clone();
            problems.warning(*span, CertificateMistake::Unused { what, issuer: "`production` or `staging`" });
        }
        _ => {}
    }
    let ca = written.ca.as_ref().map(|ca| resolve_ca(ca, secrets, problems));
    let uses_ca = issuers.contains(&Issuer::Ca);
    match &written.ca {
        Some(ca) if !uses_ca => {
            let what = "[certificates.ca]".to_owned();
            problems.warning(ca.span, CertificateMistake::Unused { what, issuer: "`ca`" });
        }
        None if uses_ca => {
            let span = written.issuer.filter(|issuer| issuer.value == Issuer::Ca);
            problems.error(span.map_or(written.span, |issuer| issuer.span), CertificateMistake::NoAuthority);
        }
        _ => {}
    }
    note_issuer(written.issuer, problems);
    let recursive_nameservers = match &written.recursive_nameservers {
        Some(texts) => {
            let servers: Vec<_> = texts.iter().map(|text| nameserver(text, problems)).collect();
            servers.into_iter().collect::<Option<_>>()
        }
        None => Some(RECURSIVE_NAMESERVERS.map(str::to_owned).to_vec()),
    };
    Some(Certificates {
        email: email.map(|email| email.value.clone()),
        solver: if uses_acme { Some(solver?) } else { None },
        ca: if uses_ca { Some(ca??) } else { None },
        recursive_nameservers: recursive_nameservers?,
        values: written.values.clone(),
    })
}

/// What is written to prove control of the domain, in the order of the file: the key, the name in messages and the span.
fn solvers(written: &written::Certificates) -> Vec<(String, &'static str, Span)> {
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
fn resolve_solver(
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

fn resolve_ca(
    written: &written::CertificateAuthority,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<[KubernetesSecret; 2]> {
    let mut secret = |key: &str, text: Option<&Text>| {
        let from = secrets.find(text?, problems)?;
        Some(KubernetesSecret::of_cert_manager(CA_SECRET, key, from))
    };
    // The keys that cert-manager reads (documentation of its CA issuer).
    let certificate = secret("tls.crt", written.certificate.as_ref());
    let key = secret("tls.key", written.key.as_ref());
    Some([certificate?, key?])
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

/// Returns a name server as cert-manager takes it (its flag `--dns01-recursive-nameservers`).
fn nameserver(text: &Text, problems: &mut Problems) -> Option<String> {
    let server = text.value.as_str();
    if let Ok(address) = server.parse::<IpAddr>() {
        return Some(SocketAddr::from((address, 53)).to_string());
    }
    let is_url = || Url::parse(server).is_ok_and(|url| url.scheme() == "https" && url.has_host());
    // A comma separates the servers in the chart's value.
    if server.parse::<SocketAddr>().is_ok() || (is_url() && !server.contains(',')) {
        return Some(server.to_owned());
    }
    problems.error(text.span, CertificateMistake::Nameserver { text: server.to_owned() });
    None
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

/// Top-level domains that are not in the public DNS: reserved (RFC 6761, 6762, 7686, 8375, 9476; `internal`: ICANN board
/// resolution 2024.07.29.06), or never to be delegated because private networks use them.
const PRIVATE_TOP_LEVEL: [&str; 16] = [
    "alt",
    "arpa",
    "corp",
    "home",
    "homelab",
    "internal",
    "intranet",
    "lab",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "mail",
    "onion",
    "private",
    "test",
];

/// Notes a domain for which no public authority issues certificates, at the place where it is written.
pub(super) fn note_public(domain: &Domain, span: Span, problems: &mut Problems) {
    let top = domain.as_str().rsplit('.').next().unwrap_or_default();
    if PRIVATE_TOP_LEVEL.contains(&top) {
        problems.warning(span, CertificateMistake::NotPublic { domain: domain.clone(), top: top.to_owned() });
    }
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

fn is_email(text: &str) -> bool {
    let is_plain =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control());
    text.rsplit_once('@').is_some_and(|(user, host)| is_plain(user) && is_plain(host) && host.contains('.'))
}
