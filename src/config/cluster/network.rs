//! `[network]`: the nodes' network and the address ranges inside the cluster.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use thiserror::Error;

use super::address::{parse_address, parse_range};
use super::dual::{Addresses, Ipv6Key, Networks, Pairs, parsed};
use super::interface::{self, Interface};
use super::name::is_host;
use super::node::Node;
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::source::{Span, Spanned};
use crate::config::written::{self, Text};

#[derive(Debug, Clone)]
pub struct Network {
    /// The default gateway of the nodes.
    pub gateway: Addresses,
    /// The interface that has a node's address, as far as the node does not say otherwise.
    pub interface: Interface,
    /// The name servers, at least one.
    pub nameservers: Vec<Spanned<Ipv4Addr>>,
    /// The host names or addresses of time servers. If empty, the nodes use those of NixOS.
    pub time_servers: Vec<String>,
    pub pods: Networks,
    pub services: Networks,
}

/// The sizes of ranges in one address family.
#[derive(Debug)]
pub struct RangeLimits {
    /// Prefix length of the range that Cilium assigns to each node (`clusterPoolIPv4MaskSize`, `clusterPoolIPv6MaskSize`).
    /// It is also the default of kube-controller-manager.
    pub node_pods: u8,
    pub(super) pods: &'static str,
    /// Prefix length of the largest range of services that kube-apiserver accepts: 20 bits for hosts.
    largest_services: u8,
    pub(super) services: &'static str,
}

pub const IPV4: RangeLimits = RangeLimits {
    node_pods: 24,
    // Both ranges are the defaults of k3s.
    pods: "10.42.0.0/16",
    largest_services: 12,
    services: "10.43.0.0/16",
};

pub const IPV6: RangeLimits = RangeLimits {
    node_pods: 64,
    pods: "fd00:10:42::/56",
    largest_services: 108,
    services: "fd00:10:43::/112",
};

/// The maximum difference between the prefix lengths of a node's range and of the range of the pods. Both allocators have
/// this limit (kubernetes, `pkg/controller/nodeipam/ipam/cidrset`; Cilium's operator uses a copy of it).
const POD_BITS: u8 = 16;

/// The number of host bits of the smallest range of services. k3s assigns the tenth address to the cluster's DNS.
const SERVICE_BITS: u8 = 4;

impl RangeLimits {
    fn of(range: &IpNet) -> &'static Self {
        match range {
            IpNet::V4(_) => &IPV4,
            IpNet::V6(_) => &IPV6,
        }
    }
}

#[derive(Debug, Error)]
enum NetworkMistake {
    #[error("the range of the pods {range} cannot be divided into a /{} for each node", limits(range).node_pods)]
    PodsPrefix { range: IpNet },
    #[error("the range of the pods {range} is too small for {nodes} nodes")]
    TooFewPods { range: IpNet, nodes: usize },
    #[error("the range of the services {range} has a size that Kubernetes does not accept")]
    ServicesPrefix { range: IpNet },
    #[error("`nameservers` is empty")]
    NoNameserver,
    #[error("`{server}` is neither a host name nor an address")]
    TimeServer { server: String },
}

fn limits(range: &IpNet) -> &'static RangeLimits {
    RangeLimits::of(range)
}

impl Mistake for NetworkMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::PodsPrefix { range } => {
                let RangeLimits { node_pods, pods, .. } = limits(range);
                format!("write a range from /{} to /{node_pods}, such as `{pods}`", node_pods - POD_BITS)
            }
            Self::TooFewPods { range, nodes } => {
                let node_pods = limits(range).node_pods;
                format!(
                    "each node takes a /{node_pods}: write a larger range, such as `{}`",
                    large(range, *nodes)
                )
            }
            Self::ServicesPrefix { range } => {
                let RangeLimits { largest_services, services, .. } = limits(range);
                let smallest = range.max_prefix_len() - SERVICE_BITS;
                format!("write a range from /{largest_services} to /{smallest}, such as `{services}`")
            }
            Self::NoNameserver => {
                "write at least one address, or remove the key to use the gateway".to_owned()
            }
            Self::TimeServer { .. } => "write a name such as `0.pool.ntp.org`".to_owned(),
        };
        Some(instead)
    }
}

/// Returns a range that has room for the pods of `nodes` nodes: the default if it is large enough.
fn large(range: &IpNet, nodes: usize) -> String {
    let limits = limits(range);
    let bits = nodes.next_power_of_two().trailing_zeros().min(u32::from(POD_BITS));
    let prefix = limits.node_pods - u8::try_from(bits).unwrap_or(POD_BITS);
    let usual = limits.pods.parse().ok().filter(|usual: &IpNet| usual.prefix_len() <= prefix);
    let base = match range {
        IpNet::V4(_) => Ipv4Addr::new(10, 128, 0, 0).into(),
        IpNet::V6(_) => Ipv6Addr::new(0xfd00, 0x10, 0x42, 0, 0, 0, 0, 0).into(),
    };
    let larger = IpNet::new(base, prefix).map(|range| range.trunc());
    usual.map_or_else(
        || larger.map_or_else(|_| limits.pods.to_owned(), |range| range.to_string()),
        |usual| usual.to_string(),
    )
}

pub(super) fn resolve(
    written: &written::Network,
    pairs: &mut Pairs,
    problems: &mut Problems,
) -> Option<Network> {
    let header = written.span;
    let gateway_v4 =
        written.gateway.as_ref().and_then(|text| parsed(text, parse_address::<Ipv4Addr>, problems));
    let key = Ipv6Key {
        table: "[network]",
        header,
        name: "gateway-ipv6",
        example: "fd00:172:16:10::1",
        text: written.gateway_ipv6.as_ref(),
    };
    let gateway = pairs.join(gateway_v4, key, parse_address::<Ipv6Addr>, problems);

    let mut ranges = |v4: Option<&Text>, default, name, example, v6: Option<&Text>| {
        let v4 = range_or(v4, default, header, problems);
        let key = Ipv6Key { table: "[network]", header, name, example, text: v6 };
        pairs.join(v4, key, parse_range::<Ipv6Addr>, problems)
    };
    let pods = ranges(written.pods.as_ref(), IPV4.pods, "pods-ipv6", IPV6.pods, written.pods_ipv6.as_ref());
    let services = ranges(
        written.services.as_ref(),
        IPV4.services,
        "services-ipv6",
        IPV6.services,
        written.services_ipv6.as_ref(),
    );
    let nameservers = nameservers(written, gateway_v4, problems);
    let interface = interface::resolve_shared(written.interface.as_ref(), problems);
    let time_servers = written.time_servers.as_deref().unwrap_or_default();
    for server in time_servers.iter().filter(|server| !is_host(&server.value)) {
        problems.error(server.span, NetworkMistake::TimeServer { server: server.value.clone() });
    }
    if let Some(services) = services {
        note_services(services, problems);
    }
    Some(Network {
        gateway: gateway?,
        interface: interface?,
        nameservers: nameservers?,
        time_servers: time_servers.iter().map(|server| server.value.clone()).collect(),
        pods: pods?,
        services: services?,
    })
}

fn nameservers(
    written: &written::Network,
    gateway: Option<Spanned<Ipv4Addr>>,
    problems: &mut Problems,
) -> Option<Vec<Spanned<Ipv4Addr>>> {
    let Some(texts) = &written.nameservers else { return gateway.map(|gateway| vec![gateway]) };
    if texts.value.is_empty() {
        problems.error(texts.span, NetworkMistake::NoNameserver);
    }
    let servers: Vec<_> =
        texts.value.iter().map(|text| parsed(text, parse_address::<Ipv4Addr>, problems)).collect();
    servers.into_iter().collect()
}

fn range_or(
    text: Option<&Text>,
    default: &str,
    section: Span,
    problems: &mut Problems,
) -> Option<Spanned<ipnet::Ipv4Net>> {
    match text {
        Some(text) => parsed(text, parse_range::<Ipv4Addr>, problems),
        None => parse_range::<Ipv4Addr>(default).ok().map(|range| Spanned::new(range, section)),
    }
}

fn note_services(services: Networks, problems: &mut Problems) {
    for range in services.spanned_each() {
        let (largest, smallest) =
            (limits(&range.value).largest_services, range.value.max_prefix_len() - SERVICE_BITS);
        if !(largest..=smallest).contains(&range.value.prefix_len()) {
            problems.error(range.span, NetworkMistake::ServicesPrefix { range: range.value });
        }
    }
}

/// Notes a range of the pods that cannot be divided among the nodes.
pub(super) fn note_pods(pods: Networks, nodes: &[Node], problems: &mut Problems) {
    for Spanned { value: range, span } in pods.spanned_each() {
        let (prefix, node_pods) = (range.prefix_len(), limits(&range).node_pods);
        if !(node_pods - POD_BITS..=node_pods).contains(&prefix) {
            problems.error(span, NetworkMistake::PodsPrefix { range });
        } else if 1_usize << (node_pods - prefix) < nodes.len() {
            problems.error(span, NetworkMistake::TooFewPods { range, nodes: nodes.len() });
        }
    }
}
