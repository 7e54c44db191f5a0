//! `[hubble]`: the web page of Hubble, which shows the cluster's traffic.

use thiserror::Error;

use super::gateway::{Gateway, HostPattern, note_domain};
use super::name::Domain;
use crate::config::diagnostics::{Mistake, Problems, Unresolved};
use crate::config::source::Span;
use crate::config::written;

#[derive(Debug, Error)]
enum HubbleMistake {
    #[error("{} `{host}`", not_serving(hosts))]
    NotServed { host: Domain, hosts: Vec<HostPattern> },
    #[error("Hubble's page is not served: it has no login, and `enable = true` is missing")]
    NotEnabled,
    #[error("Hubble's page would be `{host}`, which no gateway serves")]
    DefaultNotServed { host: Domain },
}

fn not_serving(hosts: &[HostPattern]) -> String {
    match hosts {
        [host] => format!("a gateway for `{host}` does not serve"),
        _ => "no gateway serves".to_owned(),
    }
}

impl Mistake for HubbleMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::NotServed { hosts, .. } => match hosts.iter().find(|host| is_wildcard(host)) {
                Some(wildcard) => format!(
                    "write a name such as `hubble.{}`: a wildcard matches exactly one label",
                    wildcard.domain()
                ),
                None => "write one of the gateway's `hosts`, or add this name to them".to_owned(),
            },
            Self::NotEnabled => {
                "write `enable = true` in `[hubble]` to show the cluster's traffic to everyone who reaches \
                                 the gateway, or remove `host`"
                    .to_owned()
            }
            Self::DefaultNotServed { host } => format!(
                "add `{host}` to `hosts` of the gateway, set `host` in `[hubble]` to a name that it serves, or switch the \
                 page off with `enable = false` in `[hubble]`"
            ),
        };
        Some(instead)
    }
}

fn is_wildcard(host: &HostPattern) -> bool {
    matches!(host, HostPattern::Wildcard(_))
}

/// Resolves the host name of the page, which a gateway must serve. Returns `Ok(None)` if the page is disabled.
///
/// `header` is where a page that nobody wrote is noted.
pub(super) fn resolve(
    written: Option<&written::Hubble>,
    header: Span,
    gateways: Option<&[Gateway]>,
    cluster_domain: Option<&Domain>,
    problems: &mut Problems,
) -> Result<Option<Domain>, Unresolved> {
    let enable = written.and_then(|written| written.enable.as_ref());
    if !enable.is_some_and(|enable| enable.value) {
        if let (None, Some(host)) = (enable, written.and_then(|written| written.host.as_ref())) {
            problems.warning(host.span, HubbleMistake::NotEnabled);
        }
        return Ok(None);
    }
    let hosts = || gateways.unwrap_or_default().iter().flat_map(|gateway| &gateway.hosts);
    let Some(text) = written.and_then(|written| written.host.as_ref()) else {
        let (gateways, cluster_domain) = gateways.zip(cluster_domain).ok_or(Unresolved)?;
        let wildcard = hosts().map(|host| &host.value).find(|host| is_wildcard(host));
        let host = wildcard.map_or(cluster_domain, HostPattern::domain).child("hubble");
        if gateways.iter().all(|gateway| gateway.serving(&host).is_none()) {
            let span = hosts().next().map_or(header, |host| host.span);
            problems.error(span, HubbleMistake::DefaultNotServed { host: host.clone() });
        }
        return Ok(Some(host));
    };
    let host = problems.take(text.span, Domain::parse(&text.value)).ok_or(Unresolved)?;
    let cluster_domain = cluster_domain.ok_or(Unresolved)?;
    note_domain(text, &host, cluster_domain, problems);
    let gateways = gateways.ok_or(Unresolved)?;
    if host.is_within(cluster_domain) && gateways.iter().all(|gateway| gateway.serving(&host).is_none()) {
        let hosts = hosts().map(|host| host.value.clone()).collect();
        problems.error(text.span, HubbleMistake::NotServed { host: host.clone(), hosts });
    }
    Ok(Some(host))
}
