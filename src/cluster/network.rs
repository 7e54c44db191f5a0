//! The nodes' network and the ranges inside the cluster: who has which address, and what overlaps.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use thiserror::Error;

use super::address::{parse_address, parse_range};
use super::first_use::FirstUse;
use super::name::is_host;
use super::topology::{Board, Node};
use crate::cluster_file::{self, Text};
use crate::problem::{Mistake, Problems};
use crate::source::{Span, Spanned};

#[derive(Debug, Clone)]
pub struct Network {
    /// The router.
    pub gateway: Ipv4Addr,
    pub nameservers: Vec<Ipv4Addr>,
    /// Host names or addresses. Empty: those of NixOS.
    pub time_servers: Vec<String>,
    pub pods: Ipv4Net,
    pub services: Ipv4Net,
}

/// k3s's own defaults, kept by the posts.
const PODS: &str = "10.42.0.0/16";
const SERVICES: &str = "10.43.0.0/16";
/// Prefix length of the range that Cilium hands to each node (`clusterPoolIPv4MaskSize`).
const NODE_POD_PREFIX: u8 = 24;

#[derive(Debug, Error)]
enum NetworkMistake {
    #[error("the gateway {gateway} is not in the network of `{address}`")]
    OutsideSubnet { address: Ipv4Net, gateway: Ipv4Addr },
    #[error("two machines have the address {address}")]
    DuplicateAddress { address: Ipv4Addr },
    #[error("the {what} {range} overlaps the {other} {other_range}")]
    Overlap { what: &'static str, range: Ipv4Net, other: &'static str, other_range: Ipv4Net },
    #[error("{address} lies in the {what} {range}")]
    AddressInRange { address: Ipv4Addr, what: &'static str, range: Ipv4Net },
    #[error("the range of the pods {range} has no room for {nodes} nodes")]
    TooFewPods { range: Ipv4Net, nodes: usize },
    #[error("`{server}` is neither a host name nor an address")]
    TimeServer { server: String },
}

impl Mistake for NetworkMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::OutsideSubnet { gateway, address } => format!(
                "nodes and gateway share one network: write an address in {}",
                Ipv4Net::new(*gateway, address.prefix_len()).map_or(*address, |network| network.trunc())
            ),
            Self::DuplicateAddress { .. } => "give each machine its own address".to_owned(),
            Self::Overlap { what, other_range, .. } => {
                let usual = match *what {
                    POD_RANGE => format!(", such as `{PODS}`"),
                    SERVICE_RANGE => format!(", such as `{SERVICES}`"),
                    _ => String::new(),
                };
                format!("write a range that does not hold {other_range}{usual}")
            }
            Self::AddressInRange { .. } => "write a range that holds no machine's address".to_owned(),
            Self::TooFewPods { .. } => {
                format!("each node takes a /{NODE_POD_PREFIX}: write a larger range, such as `{PODS}`")
            }
            Self::TimeServer { .. } => "write a name such as `0.pool.ntp.org`".to_owned(),
        };
        Some(instead)
    }
}

/// The network by itself; its relation to the machines is checked by [`note_collisions`].
pub(super) fn resolve(typed: &cluster_file::Network, problems: &mut Problems) -> Option<Spanned<Network>> {
    let gateway = typed.gateway.as_ref();
    let gateway_address = gateway.and_then(|text| problems.take(text.span, parse_address(&text.value)));
    let mut addresses = |texts: &[Text]| -> Option<Vec<Ipv4Addr>> {
        let parsed: Vec<_> =
            texts.iter().map(|text| problems.take(text.span, parse_address(&text.value))).collect();
        parsed.into_iter().collect()
    };
    let nameservers = match &typed.nameservers {
        Some(texts) => addresses(texts),
        None => gateway_address.map(|address| vec![address]),
    };
    let pods = range_or(typed.pods.as_ref(), PODS, problems);
    let services = range_or(typed.services.as_ref(), SERVICES, problems);
    let time_servers = typed.time_servers.as_deref().unwrap_or_default();
    for server in time_servers {
        note_time_server(server, problems);
    }
    let network = Network {
        gateway: gateway_address?,
        nameservers: nameservers?,
        time_servers: time_servers.iter().map(|server| server.value.clone()).collect(),
        pods: pods?,
        services: services?,
    };
    Some(Spanned::new(network, gateway?.span))
}

fn range_or(text: Option<&Text>, default: &str, problems: &mut Problems) -> Option<Ipv4Net> {
    match text {
        Some(text) => problems.take(text.span, parse_range(&text.value)),
        None => parse_range(default).ok(),
    }
}

fn note_time_server(server: &Text, problems: &mut Problems) {
    if !is_host(&server.value) {
        problems.error(server.span, NetworkMistake::TimeServer { server: server.value.clone() });
    }
}

/// What the ranges and addresses of a cluster are checked for.
pub(super) struct Addressing<'a> {
    pub(super) typed: &'a cluster_file::Network,
    pub(super) network: &'a Spanned<Network>,
    pub(super) boards: &'a [Board],
    pub(super) nodes: &'a [Node],
    /// The range for services' outside addresses.
    pub(super) pool: Option<Spanned<Ipv4Net>>,
}

/// One range, what it is called, and where it was written.
struct NamedRange {
    what: &'static str,
    range: Ipv4Net,
    span: Span,
}

/// Notes each address that two have, each node outside the gateway's network, and each pair of ranges that overlap.
pub(super) fn note_collisions(addressing: &Addressing<'_>, problems: &mut Problems) {
    note_addresses(addressing, problems);
    let ranges = ranges(addressing);
    for (position, later) in ranges.iter().enumerate() {
        for earlier in &ranges[..position] {
            note_overlap(earlier, later, problems);
        }
    }
    let machines = addressing.boards.iter().map(|board| board.bmc.as_ref().map(|bmc| *bmc));
    for machine in machines {
        let holding = || ranges.iter().filter(|named| named.range.contains(&machine.value));
        // In the nodes' network it is where it belongs; a range that overlaps that has been noted.
        if holding().any(|named| named.what == LAN) {
            continue;
        }
        for named in holding() {
            let mistake = NetworkMistake::AddressInRange {
                address: machine.value,
                what: named.what,
                range: named.range,
            };
            problems.collision(machine.span, mistake, named.span, "the range");
        }
    }
    let network = &addressing.network.value;
    let rooms = 1_usize << NODE_POD_PREFIX.saturating_sub(network.pods.prefix_len());
    let fits = network.pods.prefix_len() <= NODE_POD_PREFIX && rooms >= addressing.nodes.len();
    if let (false, Some(text)) = (fits, addressing.typed.pods.as_ref()) {
        let mistake = NetworkMistake::TooFewPods { range: network.pods, nodes: addressing.nodes.len() };
        problems.error(text.span, mistake);
    }
}

fn note_addresses(addressing: &Addressing<'_>, problems: &mut Problems) {
    let gateway = addressing.network.value.gateway;
    let mut used = FirstUse::default();
    used.earlier(gateway, addressing.network.span);
    for board in addressing.boards {
        note_duplicate(&mut used, &board.bmc, problems);
    }
    for node in addressing.nodes {
        let address = node.address.value;
        note_duplicate(&mut used, &Spanned::new(address.addr(), node.address.span), problems);
        if !address.contains(&gateway) {
            let mistake = NetworkMistake::OutsideSubnet { address, gateway };
            problems.collision(node.address.span, mistake, addressing.network.span, "the gateway");
        }
    }
}

fn note_duplicate(used: &mut FirstUse<Ipv4Addr>, address: &Spanned<Ipv4Addr>, problems: &mut Problems) {
    if let Some(first) = used.earlier(address.value, address.span) {
        let mistake = NetworkMistake::DuplicateAddress { address: address.value };
        problems.collision(address.span, mistake, first, "first used here");
    }
}

const LAN: &str = "nodes' network";
const POD_RANGE: &str = "range of the pods";
const SERVICE_RANGE: &str = "range of the services";

/// The nodes' network once for each distinct one, then the ranges of the cluster.
fn ranges(addressing: &Addressing<'_>) -> Vec<NamedRange> {
    let network = &addressing.network.value;
    let here = addressing.network.span;
    let span_of = |text: Option<&Text>| text.map_or(here, |text| text.span);
    let mut ranges: Vec<NamedRange> = Vec::new();
    for node in addressing.nodes {
        let range = node.address.value.trunc();
        if ranges.iter().all(|known| known.range != range) {
            ranges.push(NamedRange { what: LAN, range, span: node.address.span });
        }
    }
    let pods = span_of(addressing.typed.pods.as_ref());
    ranges.push(NamedRange { what: POD_RANGE, range: network.pods, span: pods });
    let services = span_of(addressing.typed.services.as_ref());
    ranges.push(NamedRange { what: SERVICE_RANGE, range: network.services, span: services });
    if let Some(pool) = &addressing.pool {
        ranges.push(NamedRange { what: "pool", range: pool.value, span: pool.span });
    }
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
    let mistake = NetworkMistake::Overlap {
        what: larger.what,
        range: larger.range,
        other: smaller.what,
        other_range: smaller.range,
    };
    problems.collision(larger.span, mistake, smaller.span, "overlaps this");
}
