//! The folder, the names of the files in it, and the names that several of them use.

pub const FOLDER: &str = "manifests";
pub(in crate::render) const CILIUM: &str = "10-cilium.yaml";
pub(in crate::render) const CERT_MANAGER: &str = "20-cert-manager.yaml";
pub(in crate::render) const BGP: &str = "30-bgp.yaml";
/// The pools, in a cluster without BGP. Otherwise they are in the file above.
pub(in crate::render) const POOLS: &str = "30-pools.yaml";
pub(in crate::render) const POLICIES: &str = "35-network-policies.yaml";
pub(in crate::render) const ISSUER: &str = "40-issuer.yaml";
pub(in crate::render) const GATEWAY: &str = "50-gateway.yaml";
pub(in crate::render) const HUBBLE: &str = "60-hubble.yaml";

/// The namespace of the gateways.
pub(crate) const GATEWAY_NAMESPACE: &str = "gateway";
/// The value of a namespace's label by which it is allowed something.
pub(crate) const ALLOW: &str = "allow";
/// The listener of a gateway for plain HTTP.
pub(super) const HTTP_LISTENER: &str = "http";
