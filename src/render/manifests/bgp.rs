//! Cilium's sessions with the routers, and what it announces over them.

use std::net::IpAddr;

use serde::Serialize;

use super::pools::{Selector, selectors};
use crate::config::cluster::{self, Cluster, Label, Pool, SecretName, ipv6_session};
use crate::config::written::Announce;
use crate::render::schema::cilium_api_version;

/// The label by which the sessions find the advertisement.
const ADVERTISEMENT_LABEL: (&str, &str) = ("advertise", "bgp");

#[derive(Serialize)]
pub(super) struct Bgp<'a> {
    api_version: &'static str,
    cluster: &'a str,
    asn: u32,
    sessions: Vec<Session>,
    hold_time: u16,
    keepalive: u16,
    connect_retry: u16,
    graceful_restart: Option<u16>,
    advertisements: Vec<Advertisement>,
    overrides: Vec<Override<'a>>,
}

/// A `CiliumBGPNodeConfigOverride`: the AS number of one node.
#[derive(Serialize)]
struct Override<'a> {
    node: &'a str,
    asn: u32,
}

/// A `CiliumBGPAdvertisement`: the services whose addresses are announced to some routers.
#[derive(Serialize)]
struct Advertisement {
    name: String,
    labels: Vec<(String, &'static str)>,
    selectors: Vec<Selector>,
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
    /// The time to live of the packets. Cilium ignores it over iBGP, whose packets it sends with a time to live of 255
    /// (cilium/cilium, `CiliumBGPPeerConfigSpec`).
    ebgp_multihop: Option<u8>,
    /// The label of what is announced over it.
    label_key: String,
    label_value: &'static str,
    secret: Option<String>,
    password_file: Option<String>,
}

/// Returns the API version of Cilium's kinds for BGP.
pub(crate) fn api_version(cluster: &Cluster) -> &'static str {
    cilium_api_version(cluster.versions.cilium)
}

pub(super) fn bgp<'a>(cluster: &'a Cluster, bgp: &'a cluster::Bgp) -> Bgp<'a> {
    Bgp {
        api_version: api_version(cluster),
        cluster: cluster.name.as_str(),
        asn: bgp.asn,
        sessions: sessions(cluster),
        hold_time: bgp.hold_time,
        keepalive: bgp.keepalive,
        connect_retry: bgp.connect_retry,
        graceful_restart: bgp.graceful_restart,
        advertisements: advertisements(cluster),
        overrides: cluster
            .nodes
            .iter()
            .filter_map(|node| Some(Override { node: node.name.as_str(), asn: node.asn?.value }))
            .collect(),
    }
}

/// Returns the key of the label by which the sessions with a router find what is announced to it. Where every router gets
/// the same pools, it is the same for all.
fn label_key(cluster: &Cluster, router: &Label) -> String {
    if announcements(cluster).len() < 2 {
        ADVERTISEMENT_LABEL.0.to_owned()
    } else {
        format!("advertise-to-{router}")
    }
}

/// Returns one pool for each set of pools that are announced alike by BGP.
fn announcements(cluster: &Cluster) -> Vec<&Pool> {
    let mut distinct: Vec<&Pool> = Vec::new();
    for pool in cluster.pools.iter().filter(|pool| pool.announce == Announce::Bgp) {
        if !distinct.iter().any(|known| known.is_announced_like(pool)) {
            distinct.push(pool);
        }
    }
    distinct
}

fn advertisements(cluster: &Cluster) -> Vec<Advertisement> {
    let announcements = announcements(cluster);
    let is_only = announcements.len() == 1;
    let advertisement = |pool: &&Pool| {
        let mut labels: Vec<_> =
            pool.routers.iter().map(|router| (label_key(cluster, router), ADVERTISEMENT_LABEL.1)).collect();
        labels.dedup();
        let name =
            if is_only { "load-balancer-addresses".to_owned() } else { format!("{}-addresses", pool.name) };
        Advertisement { name, labels, selectors: selectors(cluster, pool) }
    };
    announcements.iter().map(advertisement).collect()
}

/// The sessions with each router: over IPv4, and in a dual-stack cluster over IPv6 too.
fn sessions(cluster: &Cluster) -> Vec<Session> {
    let mut sessions = Vec::new();
    for router in cluster.routers() {
        let session = |name: String, peer, address: IpAddr| Session {
            name,
            peer,
            asn: router.asn,
            address: address.to_string(),
            family: if address.is_ipv4() { "ipv4" } else { "ipv6" },
            ebgp_multihop: router.multihop.filter(|_| cluster.is_external(router)).map(|ttl| ttl.value),
            label_key: label_key(cluster, &router.name),
            label_value: ADVERTISEMENT_LABEL.1,
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
