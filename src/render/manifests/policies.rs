//! The network policies that keep pods from the machines around the cluster.
//!
//! They only deny: pods that no rule is about reach what they reached without them. A namespace's label exempts its pods,
//! because whoever may create pods may not label namespaces.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::Serialize;

use super::names::ALLOW;
use crate::config::cluster::Cluster;

/// The label of a namespace whose pods may reach everything.
const LABEL: &str = "rk1/infrastructure";

/// Ports by which routers are managed: ssh, telnet, web pages, and RouterOS's Winbox and API.
const ROUTER_PORTS: [u16; 8] = [22, 23, 80, 443, 8291, 8443, 8728, 8729];

/// Ports of a node that no pod needs but those of kube-system: ssh, etcd, Cilium's health, Hubble and the kubelet. The API
/// server is not among them: controllers use it, and it asks everyone for credentials.
const NODE_PORTS: [u16; 6] = [22, 2379, 2380, 4240, 4244, 10250];

#[derive(Serialize)]
pub(super) struct Policies {
    label: &'static str,
    allow: &'static str,
    /// The boards' controllers.
    boards: Vec<String>,
    routers: Vec<String>,
    router_ports: [u16; 8],
    node_ports: [u16; 6],
}

pub(super) fn policies(cluster: &Cluster) -> Policies {
    let single = |addresses: BTreeSet<IpAddr>| {
        addresses.into_iter().map(|address| ipnet::IpNet::from(address).to_string()).collect()
    };
    let bgp = cluster.routers().iter().flat_map(|router| router.address.each());
    Policies {
        label: LABEL,
        allow: ALLOW,
        boards: single(cluster.boards.iter().map(|board| IpAddr::from(board.bmc.value)).collect()),
        routers: single(cluster.network.gateway.each().chain(bgp).collect()),
        router_ports: ROUTER_PORTS,
        node_ports: NODE_PORTS,
    }
}
