//! The cluster as the lab builds it.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::error::LabError;
use super::resource::{self, Speaker};
use crate::config::cluster::{Cluster, Gateway, Router};
use crate::config::platforms::{Language, Platform};
use crate::config::written::Announce;
use crate::render::document::Document;
use crate::render::manifests::gateway;
use crate::render::routers::{placeholder, router_documents};

/// The program of a router of the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Daemon {
    Frr,
    Bird,
}

impl Daemon {
    /// The daemon that reads a language. `None` for the languages of routers that the lab cannot run.
    fn of(language: Language) -> Option<Self> {
        match language {
            Language::Frr => Some(Self::Frr),
            Language::Bird => Some(Self::Bird),
            Language::Routeros | Language::Vyos => None,
        }
    }

    fn language(self) -> Language {
        match self {
            Self::Frr => Language::Frr,
            Self::Bird => Language::Bird,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Frr => "FRR",
            Self::Bird => "BIRD",
        }
    }
}

/// A cluster's nodes and routers, and their BGP configuration.
#[derive(Debug)]
pub struct LabPlan {
    pub(super) nodes: Vec<PlannedNode>,
    pub(super) routers: Vec<PlannedRouter>,
    pub(super) speaker: Speaker,
    /// IPv4, and IPv6 in a dual-stack cluster.
    pub(super) families: Vec<Family>,
}

/// The addresses of one family that the lab looks at.
#[derive(Debug)]
pub(super) struct Family {
    /// The gateway's address, at which every node answers.
    pub(super) gateway: IpAddr,
    /// Networks that no node may announce: a default route, and the range of the pods.
    pub(super) foreign: [IpNet; 2],
}

impl Family {
    /// Returns the addresses of this family.
    pub(super) fn of<'a>(&self, addresses: &'a [IpNet]) -> impl Iterator<Item = IpAddr> + use<'a> {
        let is_ipv4 = self.gateway.is_ipv4();
        addresses.iter().map(IpNet::addr).filter(move |address| address.is_ipv4() == is_ipv4)
    }
}

#[derive(Debug)]
pub(super) struct PlannedNode {
    pub(super) name: String,
    /// One for each address family.
    pub(super) addresses: Vec<IpNet>,
    /// Its IPv4 address, which identifies a speaker.
    pub(super) router_id: Ipv4Addr,
}

#[derive(Debug)]
pub(super) struct PlannedRouter {
    pub(super) name: String,
    /// One for each address family. The prefix is that of the nodes' network, or of the address alone.
    pub(super) addresses: Vec<IpNet>,
    /// The addresses, on the nodes' network, of the router in between, one for each address family. Empty if the router is
    /// on the nodes' network.
    pub(super) between: Vec<IpNet>,
    pub(super) router_id: Ipv4Addr,
    pub(super) daemon: Daemon,
    /// The rendered configuration, with the lab's password.
    pub(super) text: String,
    /// The rendered configuration that undoes it, for a router that needs one.
    pub(super) undo: Option<String>,
    remarks: Vec<String>,
}

/// The password of the lab, instead of the real one.
pub(super) const PASSWORD: &str = "a-password-of-the-lab";

impl LabPlan {
    /// The lab for a cluster, from all that is rendered for it.
    pub fn new(cluster: &Cluster, documents: &[Document], daemon: Option<Daemon>) -> Result<Self, LabError> {
        // One gateway stands for all that are announced alike.
        let announced = cluster.gateways.iter().find_map(|gateway| {
            let pool = cluster.pool_with(gateway.address.v4().into())?;
            (pool.announce == Announce::Bgp).then_some((gateway, pool))
        });
        let (first, pool) = announced.ok_or(LabError::NoBgp)?;
        let resources = documents
            .iter()
            .find(|document| document.folder == "manifests" && document.name == resource::FILE)
            .ok_or_else(|| LabError::Resource {
                file: resource::FILE,
                what: "it is not rendered".to_owned(),
            })?;
        let families = families(cluster, first);
        let gateways: Vec<_> = families.iter().map(|family| family.gateway).collect();
        let mut speaker =
            resource::read(&resources.body, &gateway::service(first), gateway::GATEWAY_NAMESPACE, &gateways)?;
        let nodes = cluster.nodes.iter().map(|node| PlannedNode {
            name: node.name.to_string(),
            addresses: node.address.each().collect(),
            router_id: node.address.v4().addr(),
        });
        let hears = |router: &&Router| pool.routers.contains(&router.name);
        let routers: Vec<_> = cluster.routers().iter().filter(hears).collect();
        // Nobody plays a router to which the gateway is not announced.
        let is_played =
            |address| routers.iter().any(|router| router.address.each().any(|own| own == address));
        speaker.peers.retain(|peer| is_played(peer.address));
        let mut free = FreeAddresses::new(cluster);
        let routers = routers.into_iter();
        let routers = routers.map(|router| PlannedRouter::new(cluster, router, daemon, &mut free));
        Ok(Self { nodes: nodes.collect(), routers: routers.collect::<Result<_, _>>()?, speaker, families })
    }

    /// What the lab does otherwise than the cluster.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let nodes = "nodes: GoBGP runs instead of Cilium, with the same configuration. It dials a router that was down after \
                     one to two times `connect-retry`, Cilium after at most one"
            .to_owned();
        let deferral = "nodes: with graceful restart and several sessions, Cilium announces nothing until each of them is up, \
                        for up to six minutes. The lab does not show that"
            .to_owned();
        let is_deferred =
            self.speaker.peers.len() > 1 && self.speaker.peers.iter().any(|peer| peer.restart_time.is_some());
        let of_nodes = [Some(nodes), is_deferred.then_some(deferral)].into_iter().flatten();
        of_nodes.chain(self.routers.iter().flat_map(|router| router.remarks.clone())).collect()
    }

    /// Returns the position of the first router on the nodes' network: the client is behind it. A client behind another one
    /// would need routes to the pool on the router in between, which rk1 does not render.
    pub(super) fn entrance(&self) -> Option<usize> {
        self.routers.iter().position(|router| router.between.is_empty())
    }

    /// The hold time in seconds, the longest of all sessions.
    pub(super) fn hold_time(&self) -> u32 {
        self.speaker.peers.iter().map(|peer| peer.hold_time).max().unwrap_or_default()
    }
}

fn families(cluster: &Cluster, gateway: &Gateway) -> Vec<Family> {
    let of = |(gateway, pods): (IpAddr, IpNet)| {
        let default_route = match gateway {
            IpAddr::V4(_) => Ipv4Net::default().into(),
            IpAddr::V6(_) => Ipv6Net::default().into(),
        };
        Family { gateway, foreign: [default_route, pods] }
    };
    gateway.address.each().zip(cluster.network.pods.each()).map(of).collect()
}

/// Addresses on the nodes' network that no machine of the cluster has.
struct FreeAddresses {
    networks: Vec<IpNet>,
    used: Vec<IpAddr>,
}

impl FreeAddresses {
    fn new(cluster: &Cluster) -> Self {
        let nodes = cluster.nodes.iter().flat_map(|node| node.address.each());
        let routers = cluster.routers().iter().flat_map(|router| router.address.each());
        let used = nodes.map(|node| node.addr()).chain(routers).chain(cluster.network.gateway.each());
        let networks = cluster.nodes.first().iter().flat_map(|node| node.address.each()).collect();
        Self { networks, used: used.collect() }
    }

    /// Takes one address of each family. `None` if a network is full.
    fn take(&mut self) -> Option<Vec<IpNet>> {
        let Self { networks, used } = self;
        let mut taken = Vec::new();
        for network in networks {
            let address = network.hosts().find(|address| !used.contains(address))?;
            used.push(address);
            taken.push(IpNet::new(address, network.prefix_len()).ok()?);
        }
        Some(taken)
    }
}

/// A router's addresses, with the prefix lengths of the nodes' networks that they lie in. `None` if it is in none of them.
fn router_addresses(cluster: &Cluster, router: &Router) -> Option<Vec<IpNet>> {
    let networks: Vec<_> = cluster.nodes.iter().flat_map(|node| node.address.each()).collect();
    let with_prefix = |address: IpAddr| {
        let network = networks.iter().find(|network| network.contains(&address))?;
        IpNet::new(address, network.prefix_len()).ok()
    };
    router.address.each().map(with_prefix).collect()
}

impl PlannedRouter {
    fn new(
        cluster: &Cluster,
        router: &Router,
        daemon: Option<Daemon>,
        free: &mut FreeAddresses,
    ) -> Result<Self, LabError> {
        let own = Daemon::of(router.platform.language);
        let daemon = daemon.or(own).unwrap_or(Daemon::Frr);
        let mut remarks = Vec::new();
        if own != Some(daemon) {
            remarks.push(format!(
                "{}: {} runs instead of {}, with the configuration that would be rendered for it",
                router.name,
                daemon.name(),
                router.platform.name
            ));
        }
        let (addresses, between) = if let Some(addresses) = router_addresses(cluster, router) {
            (addresses, Vec::new())
        } else {
            let name = router.name.to_string();
            let between = free.take().ok_or(LabError::FullNetwork { router: name })?;
            remarks.push(format!(
                    "{}: one router is between it and the nodes. It has no route to the pool, so no traffic is sent through \
                     it",
                    router.name
                ));
            (router.address.each().map(IpNet::from).collect(), between)
        };
        let mut stand_in = router.clone();
        stand_in.platform = Platform::of_language(daemon.language()).unwrap_or(stand_in.platform);
        let mut texts =
            router_documents(cluster, &stand_in)?.into_iter().map(|document| match &router.password {
                Some(secret) => document.body.replace(&placeholder(secret), PASSWORD),
                None => document.body,
            });
        Ok(Self {
            name: router.name.to_string(),
            addresses,
            between,
            router_id: router.address.v4(),
            daemon,
            text: texts.next().unwrap_or_default(),
            undo: texts.next(),
            remarks,
        })
    }
}
