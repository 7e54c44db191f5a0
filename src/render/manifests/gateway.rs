//! The gateways and Hubble's route through one of them.

use serde::Serialize;

use super::issuer::issuer_name;
pub(crate) use super::names::GATEWAY_NAMESPACE;
use super::names::{ALLOW, HTTP_LISTENER};
use crate::config::cluster::{self, Cluster, Domain, HostPattern};
use crate::config::written::Routes;

const HTTPS_LISTENER: &str = "https";

/// Returns the name of the secret with the certificate of a gateway's HTTPS listeners, which cert-manager makes. Its
/// `Certificate` has the same name.
#[must_use]
pub(crate) fn certificate(gateway: &cluster::Gateway) -> String {
    format!("{}-gateway-certificate", gateway.name)
}

/// Returns the name of the service that Cilium makes for a gateway.
#[must_use]
pub(crate) fn service(gateway: &cluster::Gateway) -> String {
    format!("cilium-gateway-{}", gateway.name)
}

/// Returns the label of the namespaces whose routes a gateway accepts. `None` if it accepts those of all namespaces.
#[must_use]
pub(crate) fn routes_label(gateway: &cluster::Gateway) -> Option<(String, &'static str)> {
    (gateway.routes == Routes::Labelled).then(|| (format!("gateway.rk1/{}", gateway.name), ALLOW))
}

/// Returns the name of the listener for a gateway's host name at a position. The first has the name of its protocol.
fn listener(gateway: &cluster::Gateway, position: usize) -> String {
    let protocol = if gateway.has_certificate() { HTTPS_LISTENER } else { HTTP_LISTENER };
    match gateway.hosts.get(position).map(|host| &host.value) {
        Some(HostPattern::Exact(name)) if position > 0 => format!("{protocol}-{name}"),
        Some(HostPattern::Wildcard(domain)) if position > 0 => format!("{protocol}-any.{domain}"),
        _ => protocol.to_owned(),
    }
}

#[derive(Serialize)]
pub(super) struct Entrances<'a> {
    namespace: &'static str,
    http: &'static str,
    /// The labels of their own namespace: its routes are accepted like those of others.
    labels: Vec<(String, &'static str)>,
    gateways: Vec<Gateway<'a>>,
    /// The gateways that redirect from HTTP to HTTPS.
    redirecting: Vec<&'a str>,
    /// Whether Cilium reads a gateway's own list of addresses: since 1.17.
    has_addresses: bool,
}

#[derive(Serialize)]
struct Gateway<'a> {
    name: &'a str,
    /// `None` if its host names are served over HTTP.
    issuer: Option<&'static str>,
    certificate: String,
    /// One for each address family.
    addresses: Vec<String>,
    /// The label of the namespaces whose routes it accepts.
    label: Option<(String, &'static str)>,
    listeners: Vec<Listener>,
}

#[derive(Serialize)]
struct Listener {
    name: String,
    host: String,
    is_wildcard: bool,
}

#[derive(Serialize)]
pub(super) struct Hubble<'a> {
    /// The API version of a `ReferenceGrant`.
    grant_version: &'static str,
    namespace: &'static str,
    gateway: &'a str,
    listener: String,
    host: &'a str,
}

pub(super) fn gateways(cluster: &Cluster) -> Entrances<'_> {
    let redirecting = cluster.gateways.iter().filter(|gateway| gateway.has_certificate());
    Entrances {
        namespace: GATEWAY_NAMESPACE,
        http: HTTP_LISTENER,
        labels: cluster.gateways.iter().filter_map(routes_label).collect(),
        gateways: cluster.gateways.iter().map(gateway).collect(),
        redirecting: redirecting.map(|gateway| gateway.name.as_str()).collect(),
        has_addresses: cluster.versions.cilium.minor >= 17,
    }
}

fn gateway(gateway: &cluster::Gateway) -> Gateway<'_> {
    let listeners = gateway.hosts.iter().enumerate().map(|(position, host)| Listener {
        name: listener(gateway, position),
        host: host.value.to_string(),
        is_wildcard: matches!(host.value, HostPattern::Wildcard(_)),
    });
    Gateway {
        name: gateway.name.as_str(),
        issuer: issuer_name(gateway.issuer),
        certificate: certificate(gateway),
        addresses: gateway.address.each().map(|address| address.to_string()).collect(),
        label: routes_label(gateway),
        listeners: listeners.collect(),
    }
}

/// Returns the route to Hubble's page. `None` if no gateway serves its host.
pub(super) fn hubble<'a>(cluster: &'a Cluster, host: &'a Domain) -> Option<Hubble<'a>> {
    let (gateway, position) = cluster.serving(host)?;
    // The first release of the Gateway API with `v1` of a ReferenceGrant.
    let has_v1 = (cluster.versions.gateway_api.major, cluster.versions.gateway_api.minor) >= (1, 5);
    Some(Hubble {
        grant_version: if has_v1 { "v1" } else { "v1beta1" },
        namespace: GATEWAY_NAMESPACE,
        gateway: gateway.name.as_str(),
        listener: listener(gateway, position),
        host: host.as_str(),
    })
}
