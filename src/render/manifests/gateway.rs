//! The shared gateway and Hubble's route through it.

use serde::Serialize;

use super::issuer::issuer_name;
use crate::config::cluster::{Cluster, Domain};

/// The shared gateway, to which routes of any namespace attach.
pub(crate) const GATEWAY_NAME: &str = "shared";
pub(crate) const GATEWAY_NAMESPACE: &str = "gateway";
const HTTP_LISTENER: &str = "http";
const HTTPS_LISTENER: &str = "https";

/// The secret with the certificate of the gateway's HTTPS listener, which cert-manager makes.
pub(crate) const CERTIFICATE: &str = "shared-gateway-certificate";

/// Returns the name of the service that Cilium makes for the gateway.
#[must_use]
pub(crate) fn service() -> String {
    format!("cilium-gateway-{GATEWAY_NAME}")
}

#[derive(Serialize)]
pub(super) struct Gateway<'a> {
    namespace: &'static str,
    name: &'static str,
    http: &'static str,
    https: &'static str,
    issuer: &'static str,
    certificate: &'static str,
    domain: &'a str,
    /// One for each address family.
    addresses: Vec<String>,
    /// Whether Cilium reads the gateway's own list of addresses: since 1.17.
    has_addresses: bool,
}

#[derive(Serialize)]
pub(super) struct Hubble<'a> {
    namespace: &'static str,
    name: &'static str,
    https: &'static str,
    host: &'a str,
}

pub(super) fn gateway(cluster: &Cluster) -> Gateway<'_> {
    Gateway {
        namespace: GATEWAY_NAMESPACE,
        name: GATEWAY_NAME,
        http: HTTP_LISTENER,
        https: HTTPS_LISTENER,
        issuer: issuer_name(cluster.certificates.issuer),
        certificate: CERTIFICATE,
        domain: cluster.gateway.domain.as_str(),
        addresses: cluster.gateway.address.each().map(|address| address.to_string()).collect(),
        has_addresses: cluster.versions.cilium.minor >= 17,
    }
}

pub(super) fn hubble(host: &Domain) -> Hubble<'_> {
    Hubble { namespace: GATEWAY_NAMESPACE, name: GATEWAY_NAME, https: HTTPS_LISTENER, host: host.as_str() }
}
