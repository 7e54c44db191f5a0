//! The pools of external addresses, which services use each of them, and their announcement in the nodes' network.
//!
//! Cilium announces services, not addresses: an advertisement and a policy select services by their labels. So pools that are
//! announced in different ways are for different services, and the selectors of a pool and of its announcement are the same.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

use super::gateway;
use crate::config::cluster::{
    Cluster, DEFAULT_GATEWAY_NAME, Gateway, Pool, PoolRange, ServiceLabel, address_like, bits,
};
use crate::config::written::Announce;
use crate::render::schema::cilium_api_version;

/// The API version of Cilium's L2 announcements, in all releases up to 1.20.
const L2_API_VERSION: &str = "cilium.io/v2alpha1";

const SERVICE_NAME: &str = "io.kubernetes.service.name";

#[derive(Serialize)]
pub(super) struct Addresses<'a> {
    api_version: &'static str,
    gateways: Vec<GatewayPool>,
    pools: Vec<PoolObject<'a>>,
    l2_api_version: &'static str,
    policies: Vec<Policy>,
}

/// The addresses that no service but a gateway's may take.
#[derive(Serialize)]
struct GatewayPool {
    name: String,
    namespace: &'static str,
    service: String,
    /// One of each address family.
    addresses: Vec<IpNet>,
}

/// The rest of a pool.
#[derive(Serialize)]
struct PoolObject<'a> {
    name: &'a str,
    selector: Selector,
    is_only: bool,
    blocks: Vec<Block>,
}

/// A part of a pool, both ends included.
#[derive(Debug, PartialEq, Serialize)]
struct Block {
    start: IpAddr,
    stop: IpAddr,
}

/// A `CiliumL2AnnouncementPolicy`.
#[derive(Serialize)]
struct Policy {
    name: String,
    selector: Selector,
}

/// Labels that a service must have, and values that it must not have. All services if both are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Selector {
    labels: Vec<(String, String)>,
    /// By key.
    without: Vec<(String, Vec<String>)>,
}

impl Selector {
    fn of_label(label: &ServiceLabel) -> Self {
        Self { labels: vec![(label.key.clone(), label.value.clone())], without: Vec::new() }
    }
}

pub(super) fn pools(cluster: &Cluster) -> Addresses<'_> {
    let taken: Vec<_> = cluster.gateways.iter().flat_map(|gateway| gateway.address.each()).collect();
    let pools = cluster.pools.iter().map(|pool| PoolObject {
        name: pool.name.as_str(),
        selector: match &pool.service_label {
            Some(label) => Selector::of_label(label),
            None => Selector { labels: Vec::new(), without: reserved_labels(cluster) },
        },
        is_only: cluster.pools.len() == 1,
        blocks: pool.ranges.iter().flat_map(|range| blocks_without(range.value, &taken)).collect(),
    });
    let local = |pool: &&Pool| pool.announce == Announce::L2;
    let policies = match cluster.pools.iter().find(local) {
        Some(pool) => selectors(cluster, pool)
            .into_iter()
            .zip(1..)
            .map(|(selector, number)| Policy {
                name: match number {
                    1 => format!("{}-l2", cluster.name),
                    _ => format!("{}-l2-{number}", cluster.name),
                },
                selector,
            })
            .collect(),
        None => Vec::new(),
    };
    Addresses {
        api_version: cilium_api_version(cluster.versions.cilium),
        gateways: cluster.gateways.iter().map(|gateway| gateway_pool(cluster, gateway)).collect(),
        // A pool that the gateways use up has no address for another service.
        pools: pools.filter(|pool| !pool.blocks.is_empty()).collect(),
        l2_api_version: L2_API_VERSION,
        policies,
    }
}

/// Returns the services whose addresses are announced as those of `pool`: each selector stands for some of them.
pub(super) fn selectors(cluster: &Cluster, pool: &Pool) -> Vec<Selector> {
    let is_alike = |other: &&Pool| other.is_announced_like(pool);
    if cluster.pools.iter().all(|other| is_alike(&other)) {
        return vec![Selector::default()];
    }
    let alike: Vec<_> = cluster.pools.iter().filter(is_alike).collect();
    let is_here = |gateway: &&Gateway| {
        let address = IpAddr::from(gateway.address.v4());
        cluster.pool_with(address).is_some_and(|pool| is_alike(&pool))
    };
    let mut selectors = Vec::new();
    if alike.iter().any(|pool| pool.service_label.is_none()) {
        // All services but those of the other pools, and the gateways of the others.
        let mut without = reserved_labels(cluster);
        let elsewhere = cluster.gateways.iter().filter(|gateway| !is_here(gateway));
        let elsewhere: Vec<_> = elsewhere.map(gateway::service).collect();
        if !elsewhere.is_empty() {
            without.push((SERVICE_NAME.to_owned(), elsewhere));
        }
        selectors.push(Selector { labels: Vec::new(), without });
    } else {
        let here = cluster.gateways.iter().filter(is_here);
        selectors.extend(here.map(|gateway| Selector {
            labels: vec![
                (SERVICE_NAME.to_owned(), gateway::service(gateway)),
                ("io.kubernetes.service.namespace".to_owned(), gateway::GATEWAY_NAMESPACE.to_owned()),
            ],
            without: Vec::new(),
        }));
    }
    let labels: BTreeSet<_> = alike.iter().filter_map(|pool| pool.service_label.as_ref()).collect();
    selectors.extend(labels.into_iter().map(Selector::of_label));
    selectors
}

/// Returns the labels of the pools that have one: other services must not have them.
fn reserved_labels(cluster: &Cluster) -> Vec<(String, Vec<String>)> {
    let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for label in cluster.pools.iter().filter_map(|pool| pool.service_label.as_ref()) {
        values.entry(&label.key).or_default().insert(&label.value);
    }
    let owned = |values: BTreeSet<&str>| values.into_iter().map(str::to_owned).collect();
    values.into_iter().map(|(key, values)| (key.to_owned(), owned(values))).collect()
}

fn gateway_pool(cluster: &Cluster, gateway: &Gateway) -> GatewayPool {
    GatewayPool {
        name: match gateway.name.as_str() {
            DEFAULT_GATEWAY_NAME => format!("{}-gateway", cluster.name),
            name => format!("{}-gateway-{name}", cluster.name),
        },
        namespace: gateway::GATEWAY_NAMESPACE,
        service: gateway::service(gateway),
        addresses: gateway.address.each().map(IpNet::from).collect(),
    }
}

/// Splits a range around the gateways' addresses.
fn blocks_without(range: PoolRange, gateways: &[IpAddr]) -> Vec<Block> {
    let (start, stop) = range.assigned();
    let (mut first, last) = (bits(start), bits(stop));
    let taken = gateways.iter().filter(|address| range.contains(**address));
    let mut taken: Vec<_> = taken.map(|address| bits(*address)).collect();
    taken.sort_unstable();
    let mut ranges = Vec::new();
    for address in taken {
        if first < address {
            ranges.push((first, (address - 1).min(last)));
        }
        first = first.max(address.saturating_add(1));
    }
    ranges.push((first, last));
    let address = |bits| address_like(start, bits);
    let ranges = ranges.into_iter().filter(|(first, last)| first <= last);
    ranges.map(|(first, last)| Block { start: address(first), stop: address(last) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(range: PoolRange, gateways: &[&str]) -> Vec<String> {
        let gateways: Vec<_> = gateways.iter().map(|gateway| gateway.parse().expect("an address")).collect();
        let blocks = blocks_without(range, &gateways);
        blocks.iter().map(|block| format!("{} to {}", block.start, block.stop)).collect()
    }

    fn split(pool: &str, gateways: &[&str]) -> Vec<String> {
        blocks(PoolRange::Network(pool.parse().expect("a network")), gateways)
    }

    #[test]
    fn a_pool_is_split_around_the_gateways() {
        assert_eq!(split("10.200.200.0/24", &["10.200.200.1"]), ["10.200.200.2 to 10.200.200.254"]);
        assert_eq!(split("10.200.200.0/24", &["10.200.200.254"]), ["10.200.200.1 to 10.200.200.253"]);
        assert_eq!(split("10.0.0.0/29", &["10.0.0.4"]), ["10.0.0.1 to 10.0.0.3", "10.0.0.5 to 10.0.0.6"]);
        assert_eq!(split("10.0.0.0/31", &["10.0.0.0"]), ["10.0.0.1 to 10.0.0.1"]);
        assert_eq!(split("10.0.0.0/31", &["10.0.0.1"]), ["10.0.0.0 to 10.0.0.0"]);
        assert!(split("10.0.0.1/32", &["10.0.0.1"]).is_empty());
        assert_eq!(split("fd00::/112", &["fd00::1"]), ["fd00::2 to fd00::fffe"]);
        // Several, in any order, beside each other, and of another pool or family.
        let several = ["10.0.0.5", "10.0.0.2", "10.0.0.3", "10.1.0.1", "fd00::1"];
        assert_eq!(
            split("10.0.0.0/29", &several),
            ["10.0.0.1 to 10.0.0.1", "10.0.0.4 to 10.0.0.4", "10.0.0.6 to 10.0.0.6"]
        );
        let span = PoolRange::Span {
            first: "10.0.0.200".parse().expect("an address"),
            last: "10.0.0.203".parse().expect("an address"),
        };
        assert_eq!(blocks(span, &["10.0.0.200"]), ["10.0.0.201 to 10.0.0.203"]);
    }
}
