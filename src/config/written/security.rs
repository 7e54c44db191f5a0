//! `[security]`: the cluster's protections.

use super::leaf::{Switch, Text};
use super::table::{choice, table};
use crate::config::source::Spanned;

table! {
    /// The cluster's protections. All are on by default.
    pub struct Security {
        /// Whether the pods' traffic between nodes is encrypted and authenticated (WireGuard). [default: true]
        "encryption" encryption: Option<Switch> = true,
        /// Networks that can reach the API server, in addition to nodes and pods. [default: the nodes' networks]
        "api-clients" api_clients: Option<Spanned<Vec<Text>>> = ["172.16.10.0/24"],
        /// The Pod Security Standard for pods of namespaces that do not name one by a label. [default: baseline]
        "pod-security" pod_security: Option<Spanned<PodSecurity>> = "baseline",
        /// Whether pods are kept from the boards' controllers, and from the management ports of routers and nodes.
        /// [default: true]
        "network-policies" network_policies: Option<Switch> = true,
        /// Whether etcd stores Secrets encrypted. It cannot be changed later. [default: true]
        "secrets-encryption" secrets_encryption: Option<Switch> = true,
        /// Whether the API server logs who changed what. [default: true]
        "audit-log" audit_log: Option<Switch> = true,
    }
}

choice! {
    /// A Pod Security Standard: what pods may ask of their node.
    pub enum PodSecurity {
        /// Everything: a pod may become root on its node.
        Privileged = "privileged",
        /// No known way to become root on the node: neither its namespaces nor its files.
        Baseline = "baseline",
        /// What hardened pods need: no root inside of the pod either.
        Restricted = "restricted",
    }
}
