//! Who issues the certificates, and proves to them by a record in Azure DNS whose the domain is.

use serde::Serialize;

use crate::config::cluster::{AzureDns, Cluster};
use crate::config::written::Issuer;

#[derive(Serialize)]
pub(super) struct Issuers<'a> {
    services: [AcmeService; 2],
    email: Option<&'a str>,
    azure: Azure<'a>,
}

/// A service of Let's Encrypt (<https://letsencrypt.org/docs/acme-protocol-updates/>).
#[derive(Serialize)]
struct AcmeService {
    name: &'static str,
    server: &'static str,
}

#[derive(Serialize)]
struct Azure<'a> {
    zone: &'a str,
    environment: &'static str,
    subscription: &'a str,
    resource_group: &'a str,
    tenant: &'a str,
    client: &'a str,
    secret: String,
    secret_key: &'static str,
    secret_file: String,
}

pub(super) fn issuers(cluster: &Cluster) -> Issuers<'_> {
    Issuers {
        services: [
            AcmeService {
                name: issuer_name(Issuer::Staging),
                server: "https://acme-staging-v02.api.letsencrypt.org/directory",
            },
            AcmeService {
                name: issuer_name(Issuer::Production),
                server: "https://acme-v02.api.letsencrypt.org/directory",
            },
        ],
        email: cluster.certificates.email.as_deref(),
        azure: azure(&cluster.certificates.azure_dns),
    }
}

pub(super) fn issuer_name(issuer: Issuer) -> &'static str {
    match issuer {
        Issuer::Staging => "letsencrypt-staging",
        Issuer::Production => "letsencrypt-production",
    }
}

fn azure(azure_dns: &AzureDns) -> Azure<'_> {
    let secret = azure_dns.kubernetes_secret();
    Azure {
        zone: azure_dns.zone.as_str(),
        environment: azure_dns.environment.word(),
        subscription: &azure_dns.subscription_id,
        resource_group: &azure_dns.resource_group,
        tenant: &azure_dns.tenant_id,
        client: &azure_dns.client_id,
        secret_file: secret.from.path_on_node(),
        secret_key: secret.key,
        secret: secret.name,
    }
}
