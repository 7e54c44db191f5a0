//! `[certificates]`: certificates for the gateway's host names.

use thiserror::Error;

use super::gateway::Gateway;
use super::name::Domain;
use super::secrets::{SecretLookup, SecretName};
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::written::{self, Environment, Issuer, Text};

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
enum CertificateMistake {
    #[error("the zone `{zone}` does not contain `*.{domain}`")]
    OutsideZone { zone: Domain, domain: Domain },
    #[error("`{text}` is not a UUID")]
    Uuid { text: String },
    #[error("`{text}` is not an e-mail address")]
    Email { text: String },
    #[error("`{text}` is not the name of a resource group")]
    ResourceGroup { text: String },
}

impl Mistake for CertificateMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::OutsideZone { domain, .. } => format!("write `{domain}`, or a domain above it"),
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
    if let Some(email) = written.email.as_ref().filter(|email| !is_email(&email.value)) {
        problems.error(email.span, CertificateMistake::Email { text: email.value.clone() });
    }
    let azure_dns =
        resolve_azure_dns(written.azure_dns.as_ref()?, cluster_domain, gateway, secrets, problems);
    Some(Certificates {
        issuer: written.issuer.as_ref().map_or(Issuer::Production, |issuer| issuer.value),
        email: written.email.as_ref().map(|email| email.value.clone()),
        azure_dns: azure_dns?,
    })
}

fn resolve_azure_dns(
    written: &written::AzureDns,
    cluster_domain: Option<&Domain>,
    gateway: Option<&Gateway>,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<AzureDns> {
    let mut uuid =
        |text: Option<&Text>| text.and_then(|text| problems.take(text.span, parse_uuid(&text.value)));
    let subscription_id = uuid(written.subscription_id.as_ref());
    let tenant_id = uuid(written.tenant_id.as_ref());
    let client_id = uuid(written.client_id.as_ref());
    let client_secret = written.client_secret.as_ref().and_then(|text| secrets.find(text, problems));
    let resource_group = written
        .resource_group
        .as_ref()
        .and_then(|text| problems.take(text.span, parse_resource_group(&text.value)));
    let zone = match &written.zone {
        Some(text) => {
            let zone = problems.take(text.span, Domain::parse(&text.value));
            if let (Some(zone), Some(gateway)) = (&zone, gateway)
                && !gateway.domain.is_within(zone)
            {
                let mistake =
                    CertificateMistake::OutsideZone { zone: zone.clone(), domain: gateway.domain.clone() };
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
        environment: written.environment.as_ref().map_or(Environment::Public, |choice| choice.value),
    })
}

/// RFC 9562, section 4: 8-4-4-4-12 hexadecimal digits.
fn parse_uuid(text: &str) -> Result<String, CertificateMistake> {
    let groups: Vec<_> = text.split('-').collect();
    let lengths = groups.iter().map(|group| group.len());
    let is_uuid = lengths.eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if is_uuid { Ok(text.to_owned()) } else { Err(CertificateMistake::Uuid { text: text.to_owned() }) }
}

/// Azure's naming rules for `Microsoft.Resources/resourcegroups`.
fn parse_resource_group(text: &str) -> Result<String, CertificateMistake> {
    let is_allowed = |character: char| character.is_alphanumeric() || "-_.()".contains(character);
    let is_name =
        (1..=90).contains(&text.chars().count()) && text.chars().all(is_allowed) && !text.ends_with('.');
    if is_name {
        Ok(text.to_owned())
    } else {
        Err(CertificateMistake::ResourceGroup { text: text.to_owned() })
    }
}

fn is_email(text: &str) -> bool {
    let is_plain =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control());
    text.rsplit_once('@').is_some_and(|(user, host)| is_plain(user) && is_plain(host) && host.contains('.'))
}
