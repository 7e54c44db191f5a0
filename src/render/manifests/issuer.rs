//! The issuers of certificates, and the DNS provider where cert-manager proves control of the domain to them.

use serde::Serialize;

use crate::config::cluster::{Cluster, Dns, DnsValue};
use crate::config::written::Issuer;

#[derive(Serialize)]
pub(super) struct Issuers<'a> {
    services: [AcmeService; 2],
    email: Option<&'a str>,
    solver: Solver<'a>,
}

/// A service of Let's Encrypt (<https://letsencrypt.org/docs/acme-protocol-updates/>).
#[derive(Serialize)]
struct AcmeService {
    name: &'static str,
    server: &'static str,
}

/// The solver of a DNS provider.
#[derive(Serialize)]
struct Solver<'a> {
    zone: &'a str,
    key: &'static str,
    fields: Vec<Field<'a>>,
}

#[derive(Serialize)]
struct Field<'a> {
    path: &'static str,
    value: Option<&'a str>,
    secret: Option<SecretRef<'a>>,
}

#[derive(Serialize)]
struct SecretRef<'a> {
    name: &'a str,
    key: &'static str,
    file: String,
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
        solver: solver(&cluster.certificates.dns),
    }
}

/// Returns the name of the `ClusterIssuer` of an ACME service.
pub(crate) fn issuer_name(issuer: Issuer) -> &'static str {
    match issuer {
        Issuer::Staging => "letsencrypt-staging",
        Issuer::Production => "letsencrypt-production",
    }
}

fn solver(dns: &Dns) -> Solver<'_> {
    let fields = dns.values.iter().map(|(path, value)| match value {
        DnsValue::Text(text) => Field { path, value: Some(text), secret: None },
        DnsValue::Secret(secret) => Field {
            path,
            value: None,
            secret: Some(SecretRef { name: &secret.name, key: secret.key, file: secret.from.path_on_node() }),
        },
    });
    Solver { zone: dns.zone.as_str(), key: dns.provider.solver, fields: fields.collect() }
}
