//! Cilium's sessions with the routers, and what it announces over them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use serde::Serialize;

use super::gateway;
use crate::config::cluster::{Cluster, SecretName, ipv6_session};
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
    label_key: &'static str,
    label_value: &'static str,
    gateway: GatewayPool,
    /// The rest of the pool.
    blocks: Vec<Block>,
}

/// The addresses that no service but the gateway's may take.
#[derive(Serialize)]
struct GatewayPool {
    namespace: &'static str,
    service: String,
    /// One of each address family.
    addresses: Vec<IpNet>,
}

/// A part of the pool, both ends included.
#[derive(Debug, PartialEq, Serialize)]
struct Block {
    start: IpAddr,
    stop: IpAddr,
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
    secret: Option<String>,
    password_file: Option<String>,
}

/// Returns the API version of Cilium's kinds for BGP.
pub(crate) fn api_version(cluster: &Cluster) -> &'static str {
    cilium_api_version(cluster.versions.cilium)
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
        connect_retry: bgp.connect_retry,
        graceful_restart: bgp.graceful_restart,
        label_key: ADVERTISEMENT_LABEL.0,
        label_value: ADVERTISEMENT_LABEL.1,
        gateway: GatewayPool {
            namespace: gateway::GATEWAY_NAMESPACE,
            service: gateway::service(),
            addresses: cluster.gateway.address.each().map(IpNet::from).collect(),
        },
        blocks: bgp
            .pool
            .each()
            .zip(cluster.gateway.address.each())
            .flat_map(|(pool, gateway)| blocks_without(pool, gateway))
            .collect(),
    }
}

/// Splits a pool around the gateway's address. As Cilium does with `allowFirstLastIPs: "No"`, the first and the last
/// address are left out, except of a pool of one or two addresses.
fn blocks_without(pool: IpNet, gateway: IpAddr) -> Vec<Block> {
    let edge = u128::from(pool.max_prefix_len() - pool.prefix_len() > 1);
    let (first, last) = (bits(pool.network()) + edge, bits(pool.broadcast()) - edge);
    let gateway = bits(gateway);
    let ranges = [(first, gateway.saturating_sub(1).min(last)), (gateway.saturating_add(1).max(first), last)];
    let address = |bits: u128| match pool {
        // The bits came from addresses of the pool's family.
        IpNet::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(bits).unwrap_or(u32::MAX))),
        IpNet::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(bits)),
    };
    let ranges = ranges.into_iter().filter(|(start, stop)| start <= stop);
    ranges.map(|(start, stop)| Block { start: address(start), stop: address(stop) }).collect()
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
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
            ebgp_multihop: router.multihop.filter(|_| router.asn != cluster.bgp.asn).map(|ttl| ttl.value),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pool: &str, gateway: &str) -> Vec<String> {
        let blocks = blocks_without(pool.parse().expect("a range"), gateway.parse().expect("an address"));
        blocks.iter().map(|block| format!("{} to {}", block.start, block.stop)).collect()
    }

    #[test]
    fn a_pool_is_split_around_the_gateway() {
        assert_eq!(split("10.200.200.0/24", "10.200.200.1"), ["10.200.200.2 to 10.200.200.254"]);
        assert_eq!(split("10.200.200.0/24", "10.200.200.254"), ["10.200.200.1 to 10.200.200.253"]);
        assert_eq!(split("10.0.0.0/29", "10.0.0.4"), ["10.0.0.1 to 10.0.0.3", "10.0.0.5 to 10.0.0.6"]);
        assert_eq!(split("10.0.0.0/31", "10.0.0.0"), ["10.0.0.1 to 10.0.0.1"]);
        assert_eq!(split("10.0.0.0/31", "10.0.0.1"), ["10.0.0.0 to 10.0.0.0"]);
        assert!(split("10.0.0.1/32", "10.0.0.1").is_empty());
        assert_eq!(split("fd00::/112", "fd00::1"), ["fd00::2 to fd00::fffe"]);
    }
}
