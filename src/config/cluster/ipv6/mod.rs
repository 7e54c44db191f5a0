//! The second address family of a dual-stack cluster.
//!
//! Its keys in `cluster.toml` stand beside those of IPv4 and end in `-ipv6`: all of them are there, or none.

mod address;
mod typed;

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use ipnet::Ipv6Net;
use thiserror::Error;

use super::Unresolved;
use super::bgp::Bgp;
use super::collision::{Addressing, note_collisions};
use super::default_range::{PODS_IPV6, SERVICES_IPV6};
use super::gateway::note_pool;
use super::name::Label;
use super::topology::Node;
use super::versions::{Release, Versions};
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::source::Spanned;
use crate::config::written::{ClusterFile, Text};
use typed::Typed;

/// What a dual-stack cluster has besides its IPv4 addresses.
#[derive(Debug, Clone)]
pub struct Ipv6 {
    /// The router of the nodes' network.
    pub default_gateway: Ipv6Addr,
    /// A /48 to /64, of which each node takes a [`NODE_POD_PREFIX`].
    pub pods: Ipv6Net,
    pub services: Ipv6Net,
    /// The range for services' outside addresses.
    pub pool: Ipv6Net,
    /// The way in from outside, an address of the pool.
    pub shared_gateway: Ipv6Addr,
    /// Each node's address, with the prefix length of its network.
    pub nodes: BTreeMap<Label, Ipv6Net>,
    /// Each router's address, at which it has a second session with each node.
    pub routers: BTreeMap<Label, Ipv6Addr>,
}

/// Prefix length of the range that each node's pods have. kube-controller-manager hands it out unless told otherwise
/// (`--node-cidr-mask-size-ipv6`), and Cilium hands out the same (`clusterPoolIPv6MaskSize`).
pub const NODE_POD_PREFIX: u8 = 64;

/// Both allocators take no range that is more than 16 bits larger than what they hand out (kubernetes,
/// `pkg/controller/nodeipam/ipam/cidrset`, which Cilium's operator has too).
const LARGEST_PODS: u8 = NODE_POD_PREFIX - 16;

/// kube-apiserver took at most 20 bits (`--service-cluster-ip-range`) until it kept ranges as objects.
const LARGEST_SERVICES: u8 = 108;
/// k3s gives the tenth address to the cluster's DNS.
const SMALLEST_SERVICES: u8 = 124;

/// From 1.18 on Cilium makes the gateway's service in both families where it has both (cilium/cilium,
/// `operator/pkg/model/translation/gateway-api/translator.go`).
const CILIUM_MINOR: u16 = 18;

#[derive(Debug, Error)]
enum Ipv6Mistake {
    #[error("Cilium {cilium} gives the gateway no IPv6 address")]
    Release { cilium: Release },
    #[error("the range of the pods {range} cannot be cut into a /{NODE_POD_PREFIX} for each node")]
    PodsPrefix { range: Ipv6Net },
    #[error("the range of the pods {range} has no room for {nodes} nodes")]
    TooFewPods { range: Ipv6Net, nodes: usize },
    #[error("`{name}` is what the IPv6 session of `{other}` is called")]
    SessionName { name: Label, other: Label },
    #[error("the range of the services {range} has a size that k3s does not take")]
    ServicesPrefix { range: Ipv6Net },
}

impl Mistake for Ipv6Mistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::Release { .. } => {
                format!("write Cilium 1.{CILIUM_MINOR} or newer, or leave out every key that ends in `-ipv6`")
            }
            Self::PodsPrefix { .. } => {
                format!("write a /{LARGEST_PODS} to /{NODE_POD_PREFIX}, such as `{PODS_IPV6}`")
            }
            Self::TooFewPods { .. } => {
                format!("each node takes a /{NODE_POD_PREFIX}: write a larger range, such as `{PODS_IPV6}`")
            }
            Self::SessionName { .. } => "write another name".to_owned(),
            Self::ServicesPrefix { .. } => {
                format!("write a /{LARGEST_SERVICES} to /{SMALLEST_SERVICES}, such as `{SERVICES_IPV6}`")
            }
        };
        Some(instead)
    }
}

/// What the session over IPv6 is called, on either side, where the one over IPv4 is called `name`.
#[must_use]
pub fn ipv6_session(name: &str) -> String {
    format!("{name}-ipv6")
}

/// The parts of the cluster, as far as they could be resolved, that have an IPv6 side.
pub(super) struct Parts<'a> {
    pub(super) versions: Option<&'a Versions>,
    pub(super) nodes: Option<&'a [Node]>,
    pub(super) bgp: Option<&'a Bgp>,
}

/// Nothing where the cluster has IPv4 alone.
pub(super) fn resolve(
    file: &ClusterFile,
    parts: &Parts<'_>,
    problems: &mut Problems,
) -> Result<Option<Ipv6>, Unresolved> {
    let Some(typed) = Typed::of(file, problems)? else { return Ok(None) };
    if let Some(versions) = parts.versions.filter(|versions| versions.cilium.minor < CILIUM_MINOR) {
        let written = file.versions.as_ref().and_then(|versions| versions.cilium.as_ref());
        let span = written.map_or(typed.default_gateway.span, |text| text.span);
        problems.error(span, Ipv6Mistake::Release { cilium: versions.cilium });
    }
    let addresses = Addresses::parse(&typed, problems).ok_or(Unresolved)?;
    addresses.note_sizes(problems);
    note_session_names(file, parts, problems);
    note_collisions(&addresses.addressing(), problems);
    addresses.named(parts).map(Some).ok_or(Unresolved)
}

/// The addresses and ranges by themselves, each valid. Those of nodes and routers are in their order.
struct Addresses {
    default_gateway: Spanned<Ipv6Addr>,
    pods: Spanned<Ipv6Net>,
    services: Spanned<Ipv6Net>,
    pool: Spanned<Ipv6Net>,
    shared_gateway: Spanned<Ipv6Addr>,
    nodes: Vec<Spanned<Ipv6Net>>,
    routers: Vec<Spanned<Ipv6Addr>>,
}

impl Addresses {
    fn parse(typed: &Typed<'_>, problems: &mut Problems) -> Option<Self> {
        let default_gateway = parsed(typed.default_gateway, address::parse_address, problems);
        let pods = parsed(typed.pods, address::parse_range, problems);
        let services = parsed(typed.services, address::parse_range, problems);
        let pool = parsed(typed.pool, address::parse_range, problems);
        let shared_gateway = parsed(typed.shared_gateway, address::parse_address, problems);
        if let (Some(address), Some(pool)) = (&shared_gateway, &pool) {
            let (address, pool) = (address.as_ref().map(|a| (*a).into()), pool.as_ref().map(|p| (*p).into()));
            note_pool(&address, &pool, problems);
        }
        // Each is parsed although another has failed.
        let nodes: Vec<_> =
            typed.nodes.iter().map(|text| parsed(text, address::parse_host, problems)).collect();
        let routers: Vec<_> =
            typed.routers.iter().map(|text| parsed(text, address::parse_address, problems)).collect();
        Some(Self {
            default_gateway: default_gateway?,
            pods: pods?,
            services: services?,
            pool: pool?,
            shared_gateway: shared_gateway?,
            nodes: nodes.into_iter().collect::<Option<_>>()?,
            routers: routers.into_iter().collect::<Option<_>>()?,
        })
    }

    fn note_sizes(&self, problems: &mut Problems) {
        let range = self.pods.value;
        if !(LARGEST_PODS..=NODE_POD_PREFIX).contains(&range.prefix_len()) {
            problems.error(self.pods.span, Ipv6Mistake::PodsPrefix { range });
        } else if 1_usize << (NODE_POD_PREFIX - range.prefix_len()) < self.nodes.len() {
            problems.error(self.pods.span, Ipv6Mistake::TooFewPods { range, nodes: self.nodes.len() });
        }
        let range = self.services.value;
        if !(LARGEST_SERVICES..=SMALLEST_SERVICES).contains(&range.prefix_len()) {
            problems.error(self.services.span, Ipv6Mistake::ServicesPrefix { range });
        }
    }

    /// The boards' management controllers have IPv4 alone.
    fn addressing(&self) -> Addressing {
        fn wide<T: Copy, U: From<T>>(narrow: &Spanned<T>) -> Spanned<U> {
            narrow.as_ref().map(|value| U::from(*value))
        }
        Addressing {
            gateway: wide(&self.default_gateway),
            controllers: Vec::new(),
            nodes: self.nodes.iter().map(wide).collect(),
            routers: self.routers.iter().map(wide).collect(),
            pods: wide(&self.pods),
            services: wide(&self.services),
            pool: Some(wide(&self.pool)),
        }
    }

    fn named(&self, parts: &Parts<'_>) -> Option<Ipv6> {
        let names = parts.nodes?.iter().map(|node| node.name.clone());
        let nodes = names.zip(self.nodes.iter().map(|address| address.value)).collect();
        let names = parts.bgp?.routers.iter().map(|router| router.name.clone());
        let routers = names.zip(self.routers.iter().map(|address| address.value)).collect();
        Some(Ipv6 {
            default_gateway: self.default_gateway.value,
            pods: self.pods.value,
            services: self.services.value,
            pool: self.pool.value,
            shared_gateway: self.shared_gateway.value,
            nodes,
            routers,
        })
    }
}

/// On a node the sessions have the names of the routers, on a router those of the nodes.
fn note_session_names(file: &ClusterFile, parts: &Parts<'_>, problems: &mut Problems) {
    let nodes = file.nodes.as_ref().into_iter().flatten().map(|node| node.name.as_ref());
    let nodes = nodes.zip(parts.nodes.into_iter().flatten().map(|node| &node.name));
    note_taken(&nodes.collect::<Vec<_>>(), problems);
    let routers = file.bgp.as_ref().and_then(|bgp| bgp.routers.as_ref()).into_iter().flatten();
    let routers = routers.map(|router| router.name.as_ref());
    let routers = routers.zip(parts.bgp.into_iter().flat_map(|bgp| &bgp.routers).map(|router| &router.name));
    note_taken(&routers.collect::<Vec<_>>(), problems);
}

fn note_taken(names: &[(Option<&Text>, &Label)], problems: &mut Problems) {
    for (text, name) in names {
        let other = names.iter().find(|(_, other)| ipv6_session(other.as_str()) == name.as_str());
        if let (Some(text), Some((Some(first), other))) = (text, other) {
            let mistake = Ipv6Mistake::SessionName { name: (*name).clone(), other: (*other).clone() };
            problems.collision(text.span, mistake, first.span, "whose session it is");
        }
    }
}

fn parsed<T, M: Mistake + 'static>(
    text: &Text,
    parse: impl FnOnce(&str) -> Result<T, M>,
    problems: &mut Problems,
) -> Option<Spanned<T>> {
    problems.take(text.span, parse(&text.value)).map(|value| Spanned::new(value, text.span))
}
