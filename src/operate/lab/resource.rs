//! The rendered custom resources, as far as a node's BGP speaker depends on them.
//!
//! What is announced over a session follows from labels and selectors. Fields and defaults:
//! cilium/cilium, `pkg/k8s/apis/cilium.io/v2/bgp_*_types.go`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::LabError;
use super::selector::{Labels, Selector};
use crate::render::yaml;

pub(super) const FILE: &str = "30-bgp.yaml";

/// The configuration of every node's BGP speaker.
#[derive(Debug, Clone)]
pub(super) struct Speaker {
    /// The AS number of the nodes that have none of their own.
    pub(super) asn: u32,
    /// The AS numbers of single nodes, by their names.
    pub(super) node_asns: BTreeMap<String, u32>,
    pub(super) peers: Vec<Peer>,
}

impl Speaker {
    /// Returns the AS number of a node.
    pub(super) fn asn_of(&self, node: &str) -> u32 {
        self.node_asns.get(node).copied().unwrap_or(self.asn)
    }
}

/// A router that the nodes dial.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) address: IpAddr,
    pub(super) asn: u32,
    /// Seconds.
    pub(super) hold_time: u32,
    /// Seconds.
    pub(super) keepalive: u32,
    /// Seconds.
    pub(super) connect_retry: u32,
    /// Seconds. `None` without graceful restart.
    pub(super) restart_time: Option<u32>,
    /// The time to live of the packets to a router of another autonomous system; 1 for one in the nodes' network.
    pub(super) ebgp_multihop: u8,
    pub(super) has_password: bool,
    pub(super) families: Vec<PeerFamily>,
}

/// An address family whose routes a session carries.
#[derive(Debug, Clone)]
pub(super) struct PeerFamily {
    /// In the notation of Cilium: `ipv4` or `ipv6`, and `unicast`.
    pub(super) afi: String,
    pub(super) safi: String,
    /// Whether the addresses of services are announced in it.
    pub(super) hears_services: bool,
}

impl Peer {
    /// Returns whether a service's address is announced to it.
    pub(super) fn hears_of(&self, service: IpAddr) -> bool {
        let afi = if service.is_ipv4() { "ipv4" } else { "ipv6" };
        let mut families = self.families.iter().filter(|family| family.afi == afi);
        families.any(|family| family.safi == "unicast" && family.hears_services)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClusterConfig {
    bgp_instances: Vec<Instance>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Instance {
    name: String,
    #[serde(rename = "localASN")]
    local_asn: u32,
    peers: Vec<PeerReference>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Override {
    bgp_instances: Vec<InstanceOverride>,
}

#[derive(Debug, Deserialize)]
struct InstanceOverride {
    name: String,
    #[serde(rename = "localASN")]
    local_asn: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are those of the resource")]
struct PeerReference {
    #[serde(rename = "peerASN")]
    peer_asn: u32,
    peer_address: IpAddr,
    peer_config_ref: ConfigReference,
}

#[derive(Debug, Deserialize)]
struct ConfigReference {
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PeerConfig {
    #[serde(default)]
    timers: Timers,
    #[serde(default)]
    graceful_restart: GracefulRestart,
    auth_secret_ref: Option<String>,
    #[serde(default = "single_hop")]
    ebgp_multihop: u8,
    #[serde(default)]
    families: Vec<Family>,
}

fn single_hop() -> u8 {
    1
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::struct_field_names, reason = "the names are those of the resource")]
struct Timers {
    connect_retry_time_seconds: u32,
    hold_time_seconds: u32,
    keep_alive_time_seconds: u32,
}

impl Default for Timers {
    fn default() -> Self {
        Self { connect_retry_time_seconds: 120, hold_time_seconds: 90, keep_alive_time_seconds: 30 }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct GracefulRestart {
    enabled: bool,
    restart_time_seconds: u32,
}

impl Default for GracefulRestart {
    fn default() -> Self {
        Self { enabled: false, restart_time_seconds: 120 }
    }
}

#[derive(Debug, Deserialize)]
struct Family {
    afi: String,
    safi: String,
    advertisements: Option<Selector>,
}

#[derive(Debug, Deserialize)]
struct Advertisements {
    advertisements: Vec<Advertisement>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are those of the resource")]
struct Advertisement {
    advertisement_type: String,
    service: Option<ServiceAddresses>,
    selector: Option<Selector>,
}

#[derive(Debug, Deserialize)]
struct ServiceAddresses {
    addresses: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pool {
    service_selector: Option<Selector>,
    blocks: Vec<Block>,
}

/// A range of a pool: a network, or its first and last address.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Block {
    Network { cidr: IpNet },
    Range { start: IpAddr, stop: Option<IpAddr> },
}

impl Block {
    fn contains(&self, address: IpAddr) -> bool {
        match *self {
            Self::Network { cidr } => cidr.contains(&address),
            Self::Range { start, stop } => {
                let stop = stop.unwrap_or(start);
                start.is_ipv4() == address.is_ipv4() && (start..=stop).contains(&address)
            }
        }
    }
}

/// An object's labels and its `spec`.
struct Object<T> {
    name: String,
    labels: Labels,
    spec: T,
}

fn wrong(what: impl Into<String>) -> LabError {
    LabError::Resource { file: FILE, what: what.into() }
}

/// Returns the objects of a kind.
fn objects<T: DeserializeOwned>(documents: &[Value], kind: &str) -> Result<Vec<Object<T>>, LabError> {
    let of_kind = documents.iter().filter(|document| document["kind"] == kind);
    of_kind
        .map(|document| {
            let name = document["metadata"]["name"].as_str().unwrap_or_default().to_owned();
            let spec = T::deserialize(&document["spec"])
                .map_err(|error| wrong(format!("{kind} `{name}`: {error}")))?;
            let labels = document["metadata"]["labels"].as_object().into_iter().flatten();
            let labels = labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
            Ok(Object { name, labels: labels.collect(), spec })
        })
        .collect()
}

/// Reads the configuration of the nodes' speakers from the resources in `text`. A pool must hold the `addresses` of the
/// service, and the labels decide whether they are announced.
pub(super) fn read(
    text: &str,
    service: &str,
    namespace: &str,
    addresses: &[IpAddr],
) -> Result<Speaker, LabError> {
    let documents = yaml::parse(text).map_err(|error| wrong(error.to_string()))?;
    let clusters: Vec<Object<ClusterConfig>> = objects(&documents, "CiliumBGPClusterConfig")?;
    let configs: Vec<Object<PeerConfig>> = objects(&documents, "CiliumBGPPeerConfig")?;
    let advertisements: Vec<Object<Advertisements>> = objects(&documents, "CiliumBGPAdvertisement")?;
    let pools: Vec<Object<Pool>> = objects(&documents, "CiliumLoadBalancerIPPool")?;

    let labels: Labels = [
        ("io.kubernetes.service.name".to_owned(), service.to_owned()),
        ("io.kubernetes.service.namespace".to_owned(), namespace.to_owned()),
    ]
    .into();
    let serves = |pool: &&Object<Pool>| {
        pool.spec.service_selector.as_ref().is_none_or(|selector| selector.matches(&labels))
    };
    let blocks: Vec<_> = pools.iter().filter(serves).flat_map(|pool| &pool.spec.blocks).collect();
    if let Some(address) =
        addresses.iter().find(|address| !blocks.iter().any(|block| block.contains(**address)))
    {
        return Err(wrong(format!("no pool for the gateway's service has its address {address}")));
    }
    let announces_service = |family: &Family| {
        let Some(selector) = family.advertisements.as_ref() else { return false };
        advertisements.iter().filter(|object| selector.matches(&object.labels)).any(|object| {
            object.spec.advertisements.iter().any(|advertisement| {
                advertisement.advertisement_type == "Service"
                    && advertisement.service.as_ref().is_some_and(|service| {
                        service.addresses.iter().any(|address| address == "LoadBalancerIP")
                    })
                    && advertisement.selector.as_ref().is_some_and(|selector| selector.matches(&labels))
            })
        })
    };
    let [cluster] = clusters.as_slice() else {
        return Err(wrong("a node may have one CiliumBGPClusterConfig"));
    };
    let [instance] = cluster.spec.bgp_instances.as_slice() else {
        return Err(wrong("the lab's nodes have one BGP instance"));
    };
    let peers = instance.peers.iter().map(|reference| {
        let name = &reference.peer_config_ref.name;
        let config = &configs
            .iter()
            .find(|config| config.name == *name)
            .ok_or_else(|| wrong(format!("CiliumBGPPeerConfig `{name}` is missing")))?
            .spec;
        let families = config.families.iter().map(|family| PeerFamily {
            afi: family.afi.clone(),
            safi: family.safi.clone(),
            hears_services: announces_service(family),
        });
        Ok(Peer {
            address: reference.peer_address,
            asn: reference.peer_asn,
            hold_time: config.timers.hold_time_seconds,
            keepalive: config.timers.keep_alive_time_seconds,
            connect_retry: config.timers.connect_retry_time_seconds,
            restart_time: config
                .graceful_restart
                .enabled
                .then_some(config.graceful_restart.restart_time_seconds),
            ebgp_multihop: config.ebgp_multihop,
            has_password: config.auth_secret_ref.is_some(),
            families: families.collect(),
        })
    });
    let overrides: Vec<Object<Override>> = objects(&documents, "CiliumBGPNodeConfigOverride")?;
    let node_asns = overrides.into_iter().filter_map(|object| {
        let mut instances = object.spec.bgp_instances.into_iter();
        Some((object.name, instances.find(|own| own.name == instance.name)?.local_asn?))
    });
    let node_asns = node_asns.collect();
    Ok(Speaker { asn: instance.local_asn, node_asns, peers: peers.collect::<Result<_, LabError>>()? })
}
