//! The nodes' network and the ranges inside the cluster.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use thiserror::Error;

use super::address::{parse_address, parse_range};
use super::bgp::Bgp;
use super::collision::Addressing;
use super::default_range::{PODS, SERVICES};
use super::name::is_host;
use super::topology::{Board, Node};
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::source::Spanned;
use crate::config::written::{self, Text};

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

/// Prefix length of the range that Cilium hands to each node (`clusterPoolIPv4MaskSize`).
const NODE_POD_PREFIX: u8 = 24;

#[derive(Debug, Error)]
enum NetworkMistake {
    #[error("the range of the pods {range} has no room for {nodes} nodes")]
    TooFewPods { range: Ipv4Net, nodes: usize },
    #[error("`{server}` is neither a host name nor an address")]
    TimeServer { server: String },
}

impl Mistake for NetworkMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::TooFewPods { .. } => {
                format!("each node takes a /{NODE_POD_PREFIX}: write a larger range, such as `{PODS}`")
            }
            Self::TimeServer { .. } => "write a name such as `0.pool.ntp.org`".to_owned(),
        };
        Some(instead)
    }
}

/// The network by itself; what else has its addresses is [`addressing`].
pub(super) fn resolve(typed: &written::Network, problems: &mut Problems) -> Option<Spanned<Network>> {
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

/// The pods' range holds a range for each node.
pub(super) fn note_pods(
    typed: &written::Network,
    network: &Network,
    nodes: &[Node],
    problems: &mut Problems,
) {
    let rooms = 1_usize << NODE_POD_PREFIX.saturating_sub(network.pods.prefix_len());
    let fits = network.pods.prefix_len() <= NODE_POD_PREFIX && rooms >= nodes.len();
    if let (false, Some(text)) = (fits, typed.pods.as_ref()) {
        problems.error(text.span, NetworkMistake::TooFewPods { range: network.pods, nodes: nodes.len() });
    }
}

/// Everything in the cluster that has an IPv4 address. `bgp` is the section as typed, and as resolved.
pub(super) fn addressing(
    typed: &written::Network,
    network: &Spanned<Network>,
    boards: &[Board],
    nodes: &[Node],
    bgp: Option<(&written::Bgp, &Bgp)>,
) -> Addressing {
    let here = network.span;
    let range = |range: Ipv4Net, text: Option<&Text>| {
        Spanned::new(IpNet::V4(range), text.map_or(here, |text| text.span))
    };
    let written = bgp.iter().filter_map(|(typed, _)| typed.routers.as_ref()).flatten();
    let spans = written.filter_map(|router| router.address.as_ref()).map(|text| text.span);
    let routers = bgp.iter().flat_map(|(_, bgp)| &bgp.routers).zip(spans);
    Addressing {
        gateway: Spanned::new(network.value.gateway.into(), here),
        controllers: boards.iter().map(|board| board.bmc.as_ref().map(|bmc| (*bmc).into())).collect(),
        nodes: nodes.iter().map(|node| node.address.as_ref().map(|address| (*address).into())).collect(),
        routers: routers.map(|(router, span)| Spanned::new(router.address.into(), span)).collect(),
        pods: range(network.value.pods, typed.pods.as_ref()),
        services: range(network.value.services, typed.services.as_ref()),
        pool: bgp.map(|(_, bgp)| bgp.pool.as_ref().map(|pool| (*pool).into())),
    }
}
