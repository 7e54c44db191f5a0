//! The issuers of certificates, and how control of host names is proven to Let's Encrypt.

use serde::Serialize;

use super::names::{GATEWAY_NAMESPACE, HTTP_LISTENER};
use super::values::json;
use crate::config::cluster::{CA_SECRET, Cluster, DnsValue, Domain, KubernetesSecret, Solver};
use crate::config::written::Issuer;
use crate::render::yaml;

#[derive(Serialize)]
pub(super) struct Issuers<'a> {
    acme: Option<Acme<'a>>,
    self_signed: Option<SelfSigned>,
    ca: Option<Authority>,
}

/// Let's Encrypt.
#[derive(Serialize)]
struct Acme<'a> {
    services: [AcmeService; 2],
    email: Option<&'a str>,
    solver: SolverText<'a>,
}

/// A service of Let's Encrypt (<https://letsencrypt.org/docs/acme-protocol-updates/>).
#[derive(Serialize)]
struct AcmeService {
    name: &'static str,
    server: &'static str,
}

#[derive(Serialize)]
struct SolverText<'a> {
    /// The key below `dns01`. `None` for HTTP-01.
    dns: Option<&'static str>,
    zone: Option<&'a str>,
    fields: Vec<Field<'a>>,
    /// The configuration of a webhook as YAML.
    config: Option<String>,
    /// The gateways through which HTTP-01 is answered.
    gateways: Vec<&'a str>,
    namespace: &'static str,
    http: &'static str,
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
    key: &'a str,
    file: String,
}

#[derive(Serialize)]
struct SelfSigned {
    name: &'static str,
    root: &'static str,
    secret: &'static str,
}

#[derive(Serialize)]
struct Authority {
    name: &'static str,
    secret: &'static str,
    files: Vec<String>,
}

/// The Secret in which cert-manager keeps the authority that the cluster makes.
pub(crate) const OWN_CA: &str = "cluster-ca";

/// The indentation of a webhook's configuration.
const CONFIG_INDENT: usize = 14;

pub(super) fn issuers(cluster: &Cluster) -> Issuers<'_> {
    let certificates = &cluster.certificates;
    let is_used = |issuer| cluster.gateways.iter().any(|gateway| gateway.issuer == issuer);
    Issuers {
        acme: certificates.solver.as_ref().map(|solver| Acme {
            services: [
                AcmeService {
                    name: "letsencrypt-staging",
                    server: "https://acme-staging-v02.api.letsencrypt.org/directory",
                },
                AcmeService {
                    name: "letsencrypt-production",
                    server: "https://acme-v02.api.letsencrypt.org/directory",
                },
            ],
            email: certificates.email.as_deref(),
            solver: solver_text(cluster, solver),
        }),
        self_signed: is_used(Issuer::SelfSigned).then_some(SelfSigned {
            name: "self-signed",
            root: "self-signed-root",
            secret: OWN_CA,
        }),
        ca: certificates.ca.as_ref().map(|keys| Authority {
            name: "ca",
            secret: CA_SECRET,
            files: keys.iter().map(|key| key.from.path_on_node()).collect(),
        }),
    }
}

/// Returns the name of the `ClusterIssuer`. `None` if there are no certificates.
pub(crate) fn issuer_name(issuer: Issuer) -> Option<&'static str> {
    match issuer {
        Issuer::Staging => Some("letsencrypt-staging"),
        Issuer::Production => Some("letsencrypt-production"),
        Issuer::SelfSigned => Some("self-signed"),
        Issuer::Ca => Some("ca"),
        Issuer::None => None,
    }
}

fn solver_text<'a>(cluster: &'a Cluster, solver: &'a Solver) -> SolverText<'a> {
    let text = |path, value| Field { path, value: Some(value), secret: None };
    let secret = |path, secret: &'a KubernetesSecret| {
        let file = secret.from.path_on_node();
        Field { path, value: None, secret: Some(SecretRef { name: &secret.name, key: &secret.key, file }) }
    };
    let (dns, zone, fields, config) = match solver {
        Solver::Dns(dns) => {
            let fields = dns.values.iter().map(|(path, value)| match value {
                DnsValue::Text(value) => text(path, value),
                DnsValue::Secret(value) => secret(path, value),
            });
            (Some(dns.provider.solver), Some(&dns.zone), fields.collect(), None)
        }
        Solver::Webhook(webhook) => {
            let fields =
                vec![text("groupName", &webhook.group_name), text("solverName", &webhook.solver_name)];
            let config = webhook.config.as_ref().map(|config| yaml::block(&json(config), &[], CONFIG_INDENT));
            (Some("webhook"), Some(&webhook.zone), fields, config)
        }
        Solver::Http => (None, None, Vec::new(), None),
    };
    let is_acme = |issuer| matches!(issuer, Issuer::Staging | Issuer::Production);
    let gateways = cluster.gateways.iter().filter(|gateway| is_acme(gateway.issuer));
    SolverText {
        dns,
        zone: zone.map(Domain::as_str),
        fields,
        config,
        gateways: gateways.map(|gateway| gateway.name.as_str()).collect(),
        namespace: GATEWAY_NAMESPACE,
        http: HTTP_LISTENER,
    }
}
