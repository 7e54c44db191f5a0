//! `[certificates]`: certificates for the gateway's host names.

use thiserror::Error;

use super::gateway::Gateway;
use super::name::Domain;
use super::secrets::{KubernetesSecret, SecretLookup};
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::dns_providers::{DNS_PROVIDERS, DnsField, DnsProvider, DnsValueKind, IfAbsent};
use crate::config::source::Span;
use crate::config::written::{self, Issuer, Text, nearest};

#[derive(Debug, Clone)]
pub struct Certificates {
    pub issuer: Issuer,
    pub email: Option<String>,
    pub dns: Dns,
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

#[derive(Debug, Error)]
enum CertificateMistake {
    #[error("`[certificates]` lacks the table of a DNS provider")]
    NoProvider,
    #[error("`[certificates]` has two DNS providers: {} and {}", first.name, second.name)]
    TwoProviders { first: &'static DnsProvider, second: &'static DnsProvider },
    #[error("the zone `{zone}` does not contain `*.{domain}`")]
    OutsideZone { zone: Domain, domain: Domain },
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
                format!("add one of {}", tables.join(", "))
            }
            Self::TwoProviders { .. } => "keep one of the two tables".to_owned(),
            Self::OutsideZone { domain, .. } => format!("write `{domain}`, or a domain above it"),
            Self::NotPublic { .. } => {
                "write a domain that you have registered: the records stay in its public DNS, and the addresses may be \
                 private"
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

pub(super) fn resolve(
    written: &written::Certificates,
    gateway: Option<&Gateway>,
    cluster_domain: Option<&Domain>,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<Certificates> {
    let email = written.email.as_ref();
    if let Some(email) = email.filter(|email| !is_email(&email.value)) {
        problems.error(email.span, CertificateMistake::Email { text: email.value.clone() });
    }
    // All tables are resolved, so that every mistake is noted.
    let resolve = |dns| resolve_dns(dns, cluster_domain, gateway, secrets, problems);
    let mut resolved = written.dns.iter().map(resolve).collect::<Vec<_>>().into_iter();
    match written.dns.as_slice() {
        [] => problems.error(written.span, CertificateMistake::NoProvider),
        [first, second, ..] => {
            let mistake = CertificateMistake::TwoProviders { first: first.provider, second: second.provider };
            problems.collision(second.span, mistake, first.span, "the first one");
        }
        [_] => {}
    }
    Some(Certificates {
        issuer: written.issuer.as_ref().map_or(Issuer::Production, |issuer| issuer.value),
        email: email.map(|email| email.value.clone()),
        dns: resolved.next()??,
    })
}

fn resolve_dns(
    written: &written::Dns,
    cluster_domain: Option<&Domain>,
    gateway: Option<&Gateway>,
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
            note_zone(zone.as_ref(), text, gateway, problems);
        }
        values.extend(field.path.map(|path| (path, value)));
    }
    is_complete.then_some(Dns { provider: written.provider, zone: zone?, values })
}

fn note_zone(zone: Option<&Domain>, text: &Text, gateway: Option<&Gateway>, problems: &mut Problems) {
    if let (Some(zone), Some(gateway)) = (zone, gateway)
        && !gateway.domain.is_within(zone)
    {
        let domain = gateway.domain.clone();
        problems.error(text.span, CertificateMistake::OutsideZone { zone: zone.clone(), domain });
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
            let is_word = !text.value.is_empty() && text.value.bytes().all(|byte| byte.is_ascii_graphic());
            let (key, example) = (field.key, field.example);
            (is_word, CertificateMistake::Word { text: value(), key, example })
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
