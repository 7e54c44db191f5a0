//! Checks the addresses and ranges of one address family against each other.

use std::net::IpAddr;

use ipnet::IpNet;
use thiserror::Error;

use super::address::{host_range, role_in_network};
use super::board::Board;
use super::first_use::FirstUse;
use super::network::{IPV4, IPV6, Network};
use super::node::Node;
use super::pool::{Pool, PoolRange};
use super::router::Router;
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::source::{Span, Spanned};
use crate::config::written::{self, Announce};

/// The parts of the cluster that have addresses.
pub(super) struct Parts<'a> {
    pub(super) written: &'a written::Network,
    pub(super) network: &'a Network,
    pub(super) boards: &'a [Board],
    pub(super) nodes: &'a [Node],
    pub(super) routers: &'a [Router],
    pub(super) pools: &'a [Pool],
}

/// The addresses and ranges of the cluster in one address family.
struct Addressing {
    gateway: Spanned<IpAddr>,
    /// The boards' management controllers, which have IPv4 only.
    controllers: Vec<Spanned<IpAddr>>,
    nodes: Vec<Spanned<IpNet>>,
    /// The other sides of the BGP sessions. One of them may be the gateway.
    routers: Vec<Spanned<IpAddr>>,
    /// The addresses of routers that have the key `multihop`, and the place of that key.
    multihop: Vec<(IpAddr, Span)>,
    nameservers: Vec<Spanned<IpAddr>>,
    ranges: Vec<NamedRange>,
    /// Ranges of pools that are announced in the nodes' network.
    local_pools: Vec<Spanned<PoolRange>>,
}

/// A range with its name in messages and its span.
#[derive(Clone, Copy)]
struct NamedRange {
    what: &'static str,
    range: IpNet,
    span: Span,
    /// The key to write where the range is a default.
    default: Option<&'static str>,
}

const LAN: &str = "nodes' network";
const POD_RANGE: &str = "range of the pods";
const SERVICE_RANGE: &str = "range of the services";
const POOL: &str = "pool";

#[derive(Debug, Error)]
enum CollisionMistake {
    #[error("the gateway {gateway} is not in the network of `{address}`")]
    OutsideSubnet { address: IpNet, gateway: IpAddr },
    #[error("`{address}` has a different prefix length than the other nodes")]
    OtherPrefix { address: IpNet, usual: u8 },
    #[error("two machines have the address {address}")]
    DuplicateAddress { address: IpAddr },
    #[error("`{address}` is the {role} of {network}, which no host can have")]
    NoHost { address: IpAddr, role: &'static str, network: IpNet },
    #[error("the {what} {range} overlaps the {other} {other_range}")]
    Overlap { what: &'static str, range: IpNet, other: &'static str, other_range: IpNet },
    #[error("the {what} {range} overlaps the {other} {other_range}, which is the default")]
    OverlapsDefault {
        what: &'static str,
        range: IpNet,
        other: &'static str,
        other_range: IpNet,
        key: &'static str,
    },
    #[error("the router {address} is not in the nodes' network")]
    FarRouter { address: IpAddr, lan: Option<IpNet> },
    #[error("`multihop` has no effect: the router {address} is in the nodes' network")]
    NeedlessMultihop { address: IpAddr },
    #[error("{address} is in the {what} {range}")]
    AddressInRange { address: IpAddr, what: &'static str, range: IpNet },
    #[error("the pool {pool} is not in the nodes' network, where no machine would ask for its addresses")]
    PoolOutsideLan { pool: PoolRange, lan: Option<IpNet> },
    #[error("the pool {pool} contains {address}, which a machine has")]
    MachineInPool { pool: PoolRange, address: IpAddr },
    #[error("the name server {address} is in the {what} {range}")]
    NameserverInRange { address: IpAddr, what: &'static str, range: IpNet },
}

impl Mistake for CollisionMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::OutsideSubnet { gateway, address } => format!(
                "the nodes and the gateway must be in the same network: write an address in {}",
                IpNet::new(*gateway, address.prefix_len()).map_or(*address, |network| network.trunc())
            ),
            Self::OtherPrefix { address, usual } => format!("write `{}/{usual}`", address.addr()),
            Self::DuplicateAddress { .. } => "give each machine its own address".to_owned(),
            Self::NoHost { network, .. } => host_range(*network),
            Self::Overlap { what, range, other_range, .. } => {
                let usual = usual(what, range)
                    .filter(|usual| usual.parse::<IpNet>().is_ok_and(|usual| !usual.contains(other_range)));
                let usual = usual.map(|usual| format!(", such as `{usual}`")).unwrap_or_default();
                format!("write a range that does not contain {other_range}{usual}")
            }
            Self::OverlapsDefault { other_range, key, .. } => {
                format!("write a range outside {other_range}, or set `{key}` in `[network]` to another range")
            }
            Self::FarRouter { lan, .. } => {
                let lan = lan.map(|lan| format!(" {lan}")).unwrap_or_default();
                format!(
                    "write the address that the router has in the network{lan}; or, if another router is in between, \
                     add `multihop = 2` to this `[[bgp.router]]`, and one more for each further router"
                )
            }
            Self::NeedlessMultihop { .. } => {
                "remove it: without it, a router accepts packets of the session only from its own network"
                    .to_owned()
            }
            Self::PoolOutsideLan { lan, .. } => {
                let lan = lan.map(|lan| format!(" {lan}")).unwrap_or_default();
                format!("write free addresses of the nodes' network{lan}, or announce the pool by BGP")
            }
            Self::MachineInPool { .. } => {
                "write addresses that no machine has and that the DHCP server does not give out".to_owned()
            }
            Self::AddressInRange { .. } => "write a range that contains no machine's address".to_owned(),
            Self::NameserverInRange { .. } => {
                "write a name server outside the cluster: nodes need one to pull container images before the \
                 cluster runs, such as after a power failure"
                    .to_owned()
            }
        };
        Some(instead)
    }
}

/// Returns the default of a range.
fn usual(what: &str, range: &IpNet) -> Option<&'static str> {
    let limits = match range {
        IpNet::V4(_) => &IPV4,
        IpNet::V6(_) => &IPV6,
    };
    match what {
        POD_RANGE => Some(limits.pods),
        SERVICE_RANGE => Some(limits.services),
        _ => None,
    }
}

/// Notes, in each address family: addresses that two machines have, nodes outside the gateway's network, addresses that
/// no host can have in that network, ranges that overlap, and machines whose address is in a range of the cluster.
pub(super) fn note_collisions(parts: &Parts<'_>, problems: &mut Problems) {
    for is_ipv6 in [false, true] {
        if let Some(addressing) = parts.addressing(is_ipv6) {
            addressing.note_nodes(problems);
            addressing.note_duplicates(problems);
            addressing.note_network_roles(problems);
            addressing.note_overlaps(problems);
            addressing.note_machines_in_ranges(problems);
            addressing.note_local_pools(problems);
        }
    }
}

impl Parts<'_> {
    fn addressing(&self, is_ipv6: bool) -> Option<Addressing> {
        let Self { written, network, boards, nodes, routers, pools } = self;
        let wide = |address: &Spanned<std::net::Ipv4Addr>| address.map(IpAddr::from);
        let ipv4_only = |list: Vec<Spanned<IpAddr>>| if is_ipv6 { Vec::new() } else { list };
        let nodes: Vec<_> = nodes.iter().filter_map(|node| node.address.of_family(is_ipv6)).collect();

        let lans = nodes.iter().map(|node| named(LAN, Some(node.map(|node| node.trunc())), None));
        let default = |is_default: bool, key| is_default.then_some(key);
        let pods = named(
            POD_RANGE,
            network.pods.of_family(is_ipv6),
            default(!is_ipv6 && written.pods.is_none(), "pods"),
        );
        let services = named(
            SERVICE_RANGE,
            network.services.of_family(is_ipv6),
            default(!is_ipv6 && written.services.is_none(), "services"),
        );
        let of_family = |pool: &&Spanned<PoolRange>| pool.value.is_ipv6() == is_ipv6;
        let announced = |how| pools.iter().filter(move |pool| pool.announce == how);
        let routed = announced(Announce::Bgp).flat_map(|pool| &pool.ranges).filter(of_family);
        let routed = routed.flat_map(|range| range.value.networks().into_iter().map(|net| (net, range.span)));
        let routed = routed.map(|(net, span)| named(POOL, Some(Spanned::new(net, span)), None));
        let mut ranges: Vec<NamedRange> = Vec::new();
        for range in lans.chain([pods, services]).chain(routed).flatten() {
            // The nodes' network is listed once, not for each node.
            if ranges.iter().all(|known| (known.what, known.range) != (range.what, range.range)) {
                ranges.push(range);
            }
        }
        Some(Addressing {
            gateway: network.gateway.of_family(is_ipv6)?,
            controllers: ipv4_only(boards.iter().map(|board| wide(&board.bmc)).collect()),
            routers: routers.iter().filter_map(|router| router.address.of_family(is_ipv6)).collect(),
            multihop: routers
                .iter()
                .filter_map(|router| Some((router.address.of_family(is_ipv6)?.value, router.multihop?.span)))
                .collect(),
            // By default the gateway is the name server. A problem with it is noted once, as a problem of the gateway.
            nameservers: match written.nameservers {
                Some(_) => ipv4_only(network.nameservers.iter().map(wide).collect()),
                None => Vec::new(),
            },
            nodes,
            ranges,
            local_pools: announced(Announce::L2)
                .flat_map(|pool| &pool.ranges)
                .filter(of_family)
                .copied()
                .collect(),
        })
    }
}

fn named(
    what: &'static str,
    range: Option<Spanned<IpNet>>,
    default: Option<&'static str>,
) -> Option<NamedRange> {
    range.map(|range| NamedRange { what, range: range.value, span: range.span, default })
}

impl Addressing {
    fn note_nodes(&self, problems: &mut Problems) {
        let gateway = &self.gateway;
        let usual = self.usual_prefix();
        for node in &self.nodes {
            let address = node.value;
            if !address.contains(&gateway.value) {
                let mistake = CollisionMistake::OutsideSubnet { address, gateway: gateway.value };
                problems.collision(node.span, mistake, gateway.span, "the gateway");
            } else if address.prefix_len() != usual {
                problems.error(node.span, CollisionMistake::OtherPrefix { address, usual });
            }
        }
    }

    /// Returns the most frequent prefix length of the nodes. Of several, it is the one that is written first.
    fn usual_prefix(&self) -> u8 {
        let count = |prefix| self.nodes.iter().filter(|node| node.value.prefix_len() == prefix).count();
        let prefixes = self.nodes.iter().map(|node| node.value.prefix_len());
        // Of equal counts, `max_by_key` returns the last.
        prefixes.rev().max_by_key(|prefix| count(*prefix)).unwrap_or_default()
    }

    fn note_duplicates(&self, problems: &mut Problems) {
        let mut used = FirstUse::default();
        used.earlier(self.gateway.value, self.gateway.span);
        let nodes = self.nodes.iter().map(|node| node.map(|node| node.addr()));
        let machines: Vec<_> = self.controllers.iter().copied().chain(nodes).collect();
        for machine in &machines {
            if let Some(first) = used.earlier(machine.value, machine.span) {
                note_duplicate(machine, first, problems);
            }
        }
        // A router may be the gateway, but no other machine. Routers that share an address are noted with the routers.
        for router in self.routers.iter().filter(|router| router.value != self.gateway.value) {
            if let Some(machine) = machines.iter().find(|machine| machine.value == router.value) {
                note_duplicate(router, machine.span, problems);
            }
        }
    }

    fn note_network_roles(&self, problems: &mut Problems) {
        let machines = self.controllers.iter().chain(&self.routers).chain(&self.nameservers);
        for machine in std::iter::once(&self.gateway).chain(machines) {
            let Some(network) = self.lan_of(machine.value) else { continue };
            let in_network = IpNet::new(machine.value, network.prefix_len()).ok();
            if let Some(role) = in_network.and_then(role_in_network) {
                let mistake = CollisionMistake::NoHost { address: machine.value, role, network };
                problems.error(machine.span, mistake);
            }
        }
    }

    fn note_overlaps(&self, problems: &mut Problems) {
        for (position, later) in self.ranges.iter().enumerate() {
            for earlier in &self.ranges[..position] {
                // If the networks of two nodes overlap, their prefix lengths differ, which has been noted. Pools are
                // compared with each other where they are resolved.
                if earlier.what != later.what {
                    note_overlap(earlier, later, problems);
                }
            }
        }
    }

    fn note_machines_in_ranges(&self, problems: &mut Problems) {
        let holding = |address: IpAddr| self.ranges.iter().find(|named| named.range.contains(&address));
        // Machines in the nodes' network are correct. A range that overlaps that network has been noted.
        let outside_lan = |machine: &&Spanned<IpAddr>| self.lan_of(machine.value).is_none();
        for machine in self.controllers.iter().chain(&self.routers).filter(outside_lan) {
            if let Some(NamedRange { what, range, span, .. }) = holding(machine.value) {
                let mistake =
                    CollisionMistake::AddressInRange { address: machine.value, what, range: *range };
                problems.collision(machine.span, mistake, *span, "the range");
            }
        }
        for (address, span) in &self.multihop {
            if self.lan_of(*address).is_some() {
                problems.warning(*span, CollisionMistake::NeedlessMultihop { address: *address });
            }
        }
        let is_multihop =
            |router: &&Spanned<IpAddr>| self.multihop.iter().any(|(address, _)| *address == router.value);
        for router in self.routers.iter().filter(outside_lan).filter(|router| !is_multihop(router)) {
            if holding(router.value).is_none() {
                let lan = self.ranges.iter().find(|named| named.what == LAN).map(|named| named.range);
                let mistake = CollisionMistake::FarRouter { address: router.value, lan };
                problems.error(router.span, mistake);
            }
        }
        for server in self.nameservers.iter().filter(outside_lan) {
            if let Some(NamedRange { what, range, .. }) = holding(server.value) {
                let mistake =
                    CollisionMistake::NameserverInRange { address: server.value, what, range: *range };
                problems.warning(server.span, mistake);
            }
        }
    }

    /// A pool that is announced by ARP or NDP is a part of the nodes' network that no machine uses.
    fn note_local_pools(&self, problems: &mut Problems) {
        for pool in &self.local_pools {
            let (first, last) = pool.value.ends();
            let lan = self.lan_of(first).filter(|lan| lan.contains(&last));
            let Some(lan) = lan else {
                let lan = self.ranges.iter().find(|named| named.what == LAN).map(|named| named.range);
                problems.error(pool.span, CollisionMistake::PoolOutsideLan { pool: pool.value, lan });
                continue;
            };
            let edges = [lan.network(), lan.broadcast()];
            let edge = edges.into_iter().find(|edge| pool.value.assigns(*edge));
            // IPv6 has no broadcast address, and its first one belongs to routers (RFC 4291, section 2.6.1).
            let edge = edge.and_then(|edge| {
                role_in_network(IpNet::new(edge, lan.prefix_len()).ok()?).map(|role| (edge, role))
            });
            if let Some((address, role)) = edge {
                problems.error(pool.span, CollisionMistake::NoHost { address, role, network: lan });
            }
            let nodes = self.nodes.iter().map(|node| node.map(|node| node.addr()));
            let machines = self.controllers.iter().chain(&self.routers).chain(&self.nameservers).copied();
            let mut machines = std::iter::once(self.gateway).chain(machines).chain(nodes);
            if let Some(machine) = machines.find(|machine| pool.value.contains(machine.value)) {
                let mistake = CollisionMistake::MachineInPool { pool: pool.value, address: machine.value };
                problems.collision(pool.span, mistake, machine.span, "this machine");
            }
        }
    }

    /// Returns the nodes' network that contains an address.
    fn lan_of(&self, address: IpAddr) -> Option<IpNet> {
        let mut lans = self.ranges.iter().filter(|named| named.what == LAN);
        lans.find(|named| named.range.contains(&address)).map(|named| named.range)
    }
}

fn note_duplicate(machine: &Spanned<IpAddr>, first: Span, problems: &mut Problems) {
    let mistake = CollisionMistake::DuplicateAddress { address: machine.value };
    problems.collision(machine.span, mistake, first, "first used here");
}

/// Notes ranges that overlap. The larger range is marked, since it is the one to change, unless it is a default.
fn note_overlap(earlier: &NamedRange, later: &NamedRange, problems: &mut Problems) {
    let contains = |outer: &NamedRange, inner: &NamedRange| outer.range.contains(&inner.range);
    if !contains(earlier, later) && !contains(later, earlier) {
        return;
    }
    let (larger, smaller) = if contains(later, earlier) { (later, earlier) } else { (earlier, later) };
    let (marked, other) = match (larger.default, smaller.default) {
        (Some(_), None) => (smaller, larger),
        _ => (larger, smaller),
    };
    let (what, range, other_range) = (marked.what, marked.range, other.range);
    if let Some(key) = other.default {
        let other = other.what;
        let mistake = CollisionMistake::OverlapsDefault { what, range, other, other_range, key };
        problems.error(marked.span, mistake);
    } else {
        let mistake = CollisionMistake::Overlap { what, range, other: other.what, other_range };
        problems.collision(marked.span, mistake, other.span, "overlaps this");
    }
}
