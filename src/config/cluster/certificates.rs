//! `[certificates]`: certificates for the gateways' host names.

mod mistake;
mod solver;

use std::net::{IpAddr, SocketAddr};

use url::Url;

use super::gateway::{Gateway, note_issuer};
use super::name::Domain;
use super::secrets::{KubernetesSecret, SecretLookup};
use crate::config::diagnostics::Problems;
use crate::config::source::{Span, Spanned};
use crate::config::written::{self, FreeValue, Issuer, Text};

pub(crate) use mistake::CA_SECRET;
use mistake::CertificateMistake;
pub use solver::{Dns, DnsValue, Solver, Webhook};
use solver::{is_acme, resolve_solver, solvers};

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

impl Certificates {
    /// Returns the Kubernetes Secrets that cert-manager reads.
    pub(super) fn kubernetes_secrets(&self) -> Vec<KubernetesSecret> {
        let of_solver = self.solver.iter().flat_map(Solver::kubernetes_secrets);
        of_solver.chain(self.ca.iter().flatten().cloned()).collect()
    }
}

/// The name servers by which cert-manager checks that its record is visible from outside. The local router may answer
/// differently for the cluster's domain.
const RECURSIVE_NAMESERVERS: [&str; 2] = ["1.1.1.1:53", "1.0.0.1:53"];

/// Returns the issuer of gateways that name none.
pub(super) fn default_issuer(written: Option<&written::Certificates>) -> Issuer {
    written.and_then(|written| written.issuer).map_or(Issuer::Production, |issuer| issuer.value)
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
    let uses_acme = issuers.iter().copied().any(is_acme);
    note_solvers(written, uses_acme, problems);
    let ca = written.ca.as_ref().map(|ca| resolve_ca(ca, secrets, problems));
    let uses_ca = issuers.contains(&Issuer::Ca);
    note_authority(written, uses_ca, problems);
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

/// Notes solvers that are missing, too many, or without effect.
fn note_solvers(written: &written::Certificates, uses_acme: bool, problems: &mut Problems) {
    match solvers(written).as_slice() {
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
}

/// Notes an authority that is missing or without effect.
fn note_authority(written: &written::Certificates, uses_ca: bool, problems: &mut Problems) {
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

fn is_email(text: &str) -> bool {
    let is_plain =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control());
    text.rsplit_once('@').is_some_and(|(user, host)| is_plain(user) && is_plain(host) && host.contains('.'))
}
