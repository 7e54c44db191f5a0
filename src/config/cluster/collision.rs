//! The addresses and ranges of one address family: who has which address, and what overlaps.

use std::net::IpAddr;

use ipnet::IpNet;
use thiserror::Error;

use super::default_range::{PODS, PODS_IPV6, SERVICES, SERVICES_IPV6};
use super::first_use::FirstUse;
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::source::{Span, Spanned};

/// What the addresses and ranges of a cluster are checked for, in one address family.
#[derive(Debug)]
pub(super) struct Addressing {
    pub(super) gateway: Spanned<IpAddr>,
    /// The boards' management controllers.
    pub(super) controllers: Vec<Spanned<IpAddr>>,
    pub(super) nodes: Vec<Spanned<IpNet>>,
    /// The other sides of the BGP sessions. One of them may be the gateway.
    pub(super) routers: Vec<Spanned<IpAddr>>,
    pub(super) pods: Spanned<IpNet>,
    pub(super) services: Spanned<IpNet>,
    /// The range for services' outside addresses.
    pub(super) pool: Option<Spanned<IpNet>>,
}

#[derive(Debug, Error)]
enum CollisionMistake {
    #[error("the gateway {gateway} is not in the network of `{address}`")]
    OutsideSubnet { address: IpNet, gateway: IpAddr },
    #[error("two machines have the address {address}")]
    DuplicateAddress { address: IpAddr },
    #[error("the {what} {range} overlaps the {other} {other_range}")]
    Overlap { what: &'static str, range: IpNet, other: &'static str, other_range: IpNet },
    #[error("{address} lies in the {what} {range}")]
    AddressInRange { address: IpAddr, what: &'static str, range: IpNet },
}

impl Mistake for CollisionMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::OutsideSubnet { gateway, address } => format!(
                "nodes and gateway share one network: write an address in {}",
                IpNet::new(*gateway, address.prefix_len()).map_or(*address, |network| network.trunc())
            ),
            Self::DuplicateAddress { .. } => "give each machine its own address".to_owned(),
            Self::Overlap { what, range, other_range, .. } => {
                let usual = usual(what, range)
                    .filter(|usual| usual.parse::<IpNet>().is_ok_and(|usual| !usual.contains(other_range)));
                let usual = usual.map(|usual| format!(", such as `{usual}`")).unwrap_or_default();
                format!("write a range that does not hold {other_range}{usual}")
            }
            Self::AddressInRange { .. } => "write a range that holds no machine's address".to_owned(),
        };
        Some(instead)
    }
}

/// What most clusters have for a range.
fn usual(what: &str, range: &IpNet) -> Option<&'static str> {
    match (what, range) {
        (POD_RANGE, IpNet::V4(_)) => Some(PODS),
        (POD_RANGE, IpNet::V6(_)) => Some(PODS_IPV6),
        (SERVICE_RANGE, IpNet::V4(_)) => Some(SERVICES),
        (SERVICE_RANGE, IpNet::V6(_)) => Some(SERVICES_IPV6),
        _ => None,
    }
}

/// One range, what it is called, and where it was written.
struct NamedRange {
    what: &'static str,
    range: IpNet,
    span: Span,
}

const LAN: &str = "nodes' network";
const POD_RANGE: &str = "range of the pods";
const SERVICE_RANGE: &str = "range of the services";

/// Notes each address that two have, each node outside the gateway's network, each pair of ranges that overlap, and
/// each machine whose address is in a range of the cluster.
pub(super) fn note_collisions(addressing: &Addressing, problems: &mut Problems) {
    note_addresses(addressing, problems);
    note_routers(addressing, problems);
    let ranges = ranges(addressing);
    for (position, later) in ranges.iter().enumerate() {
        for earlier in &ranges[..position] {
            note_overlap(earlier, later, problems);
        }
    }
    for machine in addressing.controllers.iter().chain(&addressing.routers) {
        let holding = || ranges.iter().filter(|named| named.range.contains(&machine.value));
        // In the nodes' network it is where it belongs; a range that overlaps that has been noted.
        if holding().any(|named| named.what == LAN) {
            continue;
        }
        for named in holding() {
            let mistake = CollisionMistake::AddressInRange {
                address: machine.value,
                what: named.what,
                range: named.range,
            };
            problems.collision(machine.span, mistake, named.span, "the range");
        }
    }
}

fn note_addresses(addressing: &Addressing, problems: &mut Problems) {
    let gateway = &addressing.gateway;
    let mut used = FirstUse::default();
    used.earlier(gateway.value, gateway.span);
    for controller in &addressing.controllers {
        note_duplicate(&mut used, controller, problems);
    }
    for node in &addressing.nodes {
        note_duplicate(&mut used, &Spanned::new(node.value.addr(), node.span), problems);
        if !node.value.contains(&gateway.value) {
            let mistake = CollisionMistake::OutsideSubnet { address: node.value, gateway: gateway.value };
            problems.collision(node.span, mistake, gateway.span, "the gateway");
        }
    }
}

fn note_duplicate(used: &mut FirstUse<IpAddr>, address: &Spanned<IpAddr>, problems: &mut Problems) {
    if let Some(first) = used.earlier(address.value, address.span) {
        let mistake = CollisionMistake::DuplicateAddress { address: address.value };
        problems.collision(address.span, mistake, first, "first used here");
    }
}

/// A router may be the gateway, and nothing else. What two routers share is noted where they are resolved.
fn note_routers(addressing: &Addressing, problems: &mut Problems) {
    let nodes = addressing.nodes.iter().map(|node| (node.value.addr(), node.span));
    let controllers = addressing.controllers.iter().map(|controller| (controller.value, controller.span));
    let machines: Vec<_> = controllers.chain(nodes).collect();
    let routers = addressing.routers.iter().filter(|router| router.value != addressing.gateway.value);
    for router in routers {
        if let Some((_, first)) = machines.iter().find(|(address, _)| *address == router.value) {
            let mistake = CollisionMistake::DuplicateAddress { address: router.value };
            problems.collision(router.span, mistake, *first, "first used here");
        }
    }
}

/// The nodes' network once for each distinct one, then the ranges of the cluster.
fn ranges(addressing: &Addressing) -> Vec<NamedRange> {
    let mut ranges: Vec<NamedRange> = Vec::new();
    for node in &addressing.nodes {
        let range = node.value.trunc();
        if ranges.iter().all(|known| known.range != range) {
            ranges.push(NamedRange { what: LAN, range, span: node.span });
        }
    }
    let named = |what, range: &Spanned<IpNet>| NamedRange { what, range: range.value, span: range.span };
    ranges.push(named(POD_RANGE, &addressing.pods));
    ranges.push(named(SERVICE_RANGE, &addressing.services));
    ranges.extend(addressing.pool.as_ref().map(|pool| named("pool", pool)));
    ranges
}

fn note_overlap(earlier: &NamedRange, later: &NamedRange, problems: &mut Problems) {
    let overlap = earlier.range.contains(&later.range) || later.range.contains(&earlier.range);
    if !overlap {
        return;
    }
    // The mark goes to the larger one: it is the one to mend.
    let (larger, smaller) =
        if later.range.contains(&earlier.range) { (later, earlier) } else { (earlier, later) };
    let mistake = CollisionMistake::Overlap {
        what: larger.what,
        range: larger.range,
        other: smaller.what,
        other_range: smaller.range,
    };
    problems.collision(larger.span, mistake, smaller.span, "overlaps this");
}
