//! `[hubble]`: the web page of Hubble, which shows the cluster's traffic.

use thiserror::Error;

use super::gateway::{Gateway, note_domain};
use super::name::Domain;
use crate::config::diagnostics::{Mistake, Problems, Unresolved};
use crate::config::written;

#[derive(Debug, Error)]
#[error("a gateway for `*.{domain}` does not serve `{host}`")]
struct NotServed {
    host: Domain,
    domain: Domain,
}

impl Mistake for NotServed {
    fn hint(&self) -> Option<String> {
        Some(format!("write a name such as `hubble.{}`: a wildcard matches exactly one label", self.domain))
    }
}

/// Resolves the host name of the page, which the gateway must serve. Returns `Ok(None)` if the page is disabled.
pub(super) fn resolve(
    written: Option<&written::Hubble>,
    gateway: Option<&Gateway>,
    cluster_domain: Option<&Domain>,
    problems: &mut Problems,
) -> Result<Option<Domain>, Unresolved> {
    if written.and_then(|written| written.enable.as_ref()).is_some_and(|enable| !enable.value) {
        return Ok(None);
    }
    let Some(text) = written.and_then(|written| written.host.as_ref()) else {
        return gateway.map(|gateway| Some(gateway.domain.child("hubble"))).ok_or(Unresolved);
    };
    let host = problems.take(text.span, Domain::parse(&text.value)).ok_or(Unresolved)?;
    let cluster_domain = cluster_domain.ok_or(Unresolved)?;
    note_domain(text, &host, cluster_domain, problems);
    let domain = &gateway.ok_or(Unresolved)?.domain;
    if host.is_within(cluster_domain) && !host.is_child_of(domain) {
        problems.error(text.span, NotServed { host: host.clone(), domain: domain.clone() });
    }
    Ok(Some(host))
}
