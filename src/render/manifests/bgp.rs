//! Cilium's sessions with the routers, and what it announces over them.

use std::net::IpAddr;

use serde::Serialize;

use crate::config::cluster::{Cluster, SecretName, ipv6_session};

/// By this label the sessions find what they announce. As in the posts.
const ADVERTISEMENT_LABEL: (&str, &str) = ("advertise", "bgp");

#[derive(Serialize)]
pub(super) struct Bgp<'a> {
    api_version: &'static str,
    cluster: &'a str,
    asn: u32,
    sessions: Vec<Session>,
    hold_time: u16,
    keepalive: u16,
    graceful_restart: u16,
    label_key: &'static str,
    label_value: &'static str,
    /// A range for each address family.
    pools: Vec<String>,
}

/// One of each node's sessions. Each carries the routes of the family that it is spoken over: Cilium names as their next
/// hop the address by which it reaches the router (cilium/cilium, `pkg/bgp/types/util.go`).
#[derive(Serialize)]
struct Session {
    name: String,
    /// What it is a session with.
    peer: String,
    asn: u32,
    address: String,
    family: &'static str,
    secret: Option<String>,
    password_file: Option<String>,
}

/// Returns the API version of Cilium's kinds for BGP. Cilium 1.18 brought v2 and deprecated v2alpha1.
pub(crate) fn api_version(cluster: &Cluster) -> &'static str {
    if cluster.versions.cilium.minor < 18 { "cilium.io/v2alpha1" } else { "cilium.io/v2" }
}

pub(super) fn bgp(cluster: &Cluster) -> Bgp<'_> {
    let bgp = &cluster.bgp;
    Bgp {
        api_version: api_version(cluster),
        cluster: cluster.name.as_str(),
        asn: bgp.asn,
        sessions: sessions(cluster),
        hold_time: bgp.hold_time,
        keepalive: bgp.keepalive,
        graceful_restart: bgp.graceful_restart,
        label_key: ADVERTISEMENT_LABEL.0,
        label_value: ADVERTISEMENT_LABEL.1,
        pools: bgp.pool.each().map(|pool| pool.to_string()).collect(),
    }
}

/// The sessions with each router: over IPv4, and in a dual-stack cluster over IPv6 too.
fn sessions(cluster: &Cluster) -> Vec<Session> {
    let mut sessions = Vec::new();
    for router in &cluster.bgp.routers {
        let session = |name: String, peer, address: IpAddr| Session {
            name,
            peer,
            asn: router.asn,
            address: address.to_string(),
            family: if address.is_ipv4() { "ipv4" } else { "ipv6" },
            secret: router.kubernetes_secret().map(|secret| secret.name),
            password_file: router.password.as_ref().map(SecretName::path_on_node),
        };
        let name = &router.name;
        sessions.push(session(name.to_string(), name.to_string(), router.address.v4().into()));
        if let Some(address) = router.address.v6() {
            let peer = format!("{name} over IPv6");
            sessions.push(session(ipv6_session(name.as_str()), peer, address.into()));
        }
    }
    sessions
}
