//! What the lab builds: the cluster, as far as BGP is concerned.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::LabError;
use super::resource::{self, Speaker};
use crate::cluster::{Cluster, Platform, Router};
use crate::document::Document;
use crate::render::routers::{placeholder, router_documents};

/// What a router of the lab runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Daemon {
    Frr,
    Bird,
}

impl Daemon {
    fn name(self) -> &'static str {
        match self {
            Self::Frr => "FRR",
            Self::Bird => "BIRD",
        }
    }
}

/// A cluster's nodes and routers, and what they say to each other.
#[derive(Debug)]
pub struct Plan {
    pub(super) nodes: Vec<PlannedNode>,
    pub(super) routers: Vec<PlannedRouter>,
    pub(super) speaker: Speaker,
    /// The gateway's address, which every node answers at.
    pub(super) gateway: Ipv4Addr,
    /// What no node may announce.
    pub(super) pods: Ipv4Net,
}

#[derive(Debug)]
pub(super) struct PlannedNode {
    pub(super) name: String,
    pub(super) address: Ipv4Net,
}

#[derive(Debug)]
pub(super) struct PlannedRouter {
    pub(super) name: String,
    pub(super) address: Ipv4Net,
    pub(super) daemon: Daemon,
    /// What is applied, with the lab's password in its place.
    pub(super) text: String,
    /// What takes it back, where something has to.
    pub(super) take_back: Option<String>,
    remark: Option<String>,
}

/// The lab has no use for the real one.
pub(super) const PASSWORD: &str = "a-password-of-the-lab";

/// Cilium's service for the shared gateway.
const SERVICE: &str = "cilium-gateway-shared";
const SERVICE_NAMESPACE: &str = "gateway";

impl Plan {
    /// The lab for a cluster, from all that is rendered for it.
    pub fn new(cluster: &Cluster, documents: &[Document], daemon: Option<Daemon>) -> Result<Self, LabError> {
        let resources = documents
            .iter()
            .find(|document| document.folder == "manifests" && document.name == resource::FILE)
            .ok_or_else(|| LabError::Resource {
                file: resource::FILE,
                what: "it is not rendered".to_owned(),
            })?;
        let speaker = resource::read(&resources.body, SERVICE, SERVICE_NAMESPACE, cluster.gateway.address)?;
        let nodes = cluster
            .nodes
            .iter()
            .map(|node| PlannedNode { name: node.name.to_string(), address: node.address.value })
            .collect();
        let routers = cluster.bgp.routers.iter().map(|router| PlannedRouter::new(cluster, router, daemon));
        Ok(Self {
            nodes,
            routers: routers.collect::<Result<_, _>>()?,
            speaker,
            gateway: cluster.gateway.address,
            pods: cluster.network.pods,
        })
    }

    /// What the lab does otherwise than the cluster.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        self.routers.iter().filter_map(|router| router.remark.clone()).collect()
    }

    /// The hold time in seconds, the longest of all sessions.
    pub(super) fn hold_time(&self) -> u32 {
        self.speaker.peers.iter().map(|peer| peer.hold_time).max().unwrap_or_default()
    }
}

impl PlannedRouter {
    fn new(cluster: &Cluster, router: &Router, daemon: Option<Daemon>) -> Result<Self, LabError> {
        let (own, language) = match router.platform {
            Platform::Frr | Platform::Opnsense => (Some(Daemon::Frr), "FRR"),
            Platform::Bird => (Some(Daemon::Bird), "BIRD"),
            Platform::Routeros(_) => (None, "RouterOS"),
            Platform::Vyos => (None, "VyOS"),
        };
        let daemon = daemon.or(own).unwrap_or(Daemon::Frr);
        let remark = (own != Some(daemon)).then(|| {
            format!(
                "{}: {} takes the place of {language}, with the text that would be rendered for it",
                router.name,
                daemon.name()
            )
        });
        let mut networks = cluster.nodes.iter().map(|node| node.address.value);
        let address = networks
            .find(|network| network.contains(&router.address))
            .and_then(|network| Ipv4Net::new(router.address, network.prefix_len()).ok())
            .ok_or_else(|| LabError::FarRouter {
                router: router.name.to_string(),
                address: router.address,
            })?;
        let platform = match daemon {
            Daemon::Frr => Platform::Frr,
            Daemon::Bird => Platform::Bird,
        };
        let mut stand_in = router.clone();
        stand_in.platform = platform;
        let mut texts =
            router_documents(cluster, &stand_in)?.into_iter().map(|document| match &router.password {
                Some(secret) => document.body.replace(&placeholder(secret), PASSWORD),
                None => document.body,
            });
        Ok(Self {
            name: router.name.to_string(),
            address,
            daemon,
            text: texts.next().unwrap_or_default(),
            take_back: texts.next(),
            remark,
        })
    }
}
