//! `[network.interface]` and `interface` of a node: the interface that has the node's address.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use thiserror::Error;

use super::address::{parse_address, parse_range};
use super::dual::parsed;
use super::first_use::FirstUse;
use super::name::is_host;
use super::network::Network;
use super::node::Node;
use super::number::number_or;
use crate::config::diagnostics::{Mistake, Problems, Unresolved};
use crate::config::source::Spanned;
use crate::config::written::{self, Text};

/// The tags of IEEE 802.1Q. 0 and 4095 are reserved.
const VLANS: std::ops::RangeInclusive<u16> = 1..=4094;
/// From what IPv6 needs (RFC 8200) to what network devices usually take.
const MTUS: std::ops::RangeInclusive<u16> = 1280..=9216;
/// Bytes of the longest name of an interface on Linux (`IFNAMSIZ` without the final NUL).
const NAME_LIMIT: usize = 15;

/// The interface that has a node's address. `None` and an empty list stand for the defaults of the NixOS module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interface {
    pub device: Option<Device>,
    pub vlan: Option<u16>,
    /// The length of the longest packet, in bytes.
    pub mtu: Option<u16>,
    /// Whether the IPv4 address comes from a DHCP server that has reserved it.
    pub dhcp: Option<bool>,
    pub routes: Option<Vec<Route>>,
    pub search_domains: Option<Vec<String>>,
}

/// Which network device it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Device {
    /// By name. `*` and `?` are patterns.
    Name(String),
    Mac(Mac),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mac([u8; 6]);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub to: Spanned<IpNet>,
    pub via: Spanned<IpAddr>,
}

impl fmt::Display for Mac {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs: Vec<_> = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        formatter.write_str(&pairs.join(":"))
    }
}

#[derive(Debug, Error)]
enum InterfaceMistake {
    #[error("`{name}` is not the name of a network interface")]
    Name { name: String },
    #[error("`{mac}` is not the MAC address of a network device")]
    Mac { mac: String },
    #[error("the interface has a name and a MAC address")]
    NameAndMac,
    #[error("a MAC address belongs to one node")]
    SharedMac,
    #[error("two nodes have the MAC address {mac}")]
    DuplicateMac { mac: Mac },
    #[error("the route to `{to}` replaces that of the gateway")]
    DefaultRoute { to: String },
    #[error("the route to {to} leads to a router of another address family")]
    MixedRoute { to: IpNet },
    #[error("the router {via} is not in the network of the node `{node}`")]
    RouterElsewhere { via: IpAddr, node: String },
    #[error("the route to {to} is inside the {what} {range}")]
    Inside { to: IpNet, what: &'static str, range: IpNet },
    #[error("`{domain}` is not a domain")]
    Domain { domain: String },
}

impl Mistake for InterfaceMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::Name { .. } => {
                "write a name of at most 15 characters, such as `end0`, or a pattern such as `end*`"
            }
            Self::Mac { .. } => {
                "write six pairs of hexadecimal digits, such as `02:00:5e:10:00:01`, as `ip link` prints them"
            }
            Self::NameAndMac => "remove one of them",
            Self::SharedMac => "write it as `interface = { mac = … }` of the node that has this device",
            Self::DuplicateMac { .. } => {
                "write the address of each node's own device, as `ip link` prints it"
            }
            Self::DefaultRoute { .. } => "write the default route as `gateway` in `[network]`",
            Self::MixedRoute { .. } => "write two IPv4 addresses, or two IPv6 addresses",
            Self::RouterElsewhere { .. } => "write a router that the node reaches without another one",
            Self::Inside { .. } => {
                "write a network elsewhere: the nodes reach these addresses without a router"
            }
            Self::Domain { .. } => "write a domain such as `home.arpa`",
        };
        Some(instead.to_owned())
    }
}

impl Interface {
    /// Whether nothing is set.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Resolves what is written for all nodes.
pub(super) fn resolve_shared(
    written: Option<&written::Interface>,
    problems: &mut Problems,
) -> Option<Interface> {
    if let Some(mac) = written.and_then(|written| written.mac.as_ref()) {
        problems.error(mac.span, InterfaceMistake::SharedMac);
        return None;
    }
    resolve(written, problems)
}

/// Resolves what is written for one node or for all. `None` if anything is wrong, which has been noted.
pub(super) fn resolve(written: Option<&written::Interface>, problems: &mut Problems) -> Option<Interface> {
    let Some(written) = written else { return Some(Interface::default()) };
    let device = device(written, problems);
    let number = |text: Option<&written::Integer>, what, range, problems: &mut Problems| match text {
        None => Some(None),
        Some(_) => number_or(0, text, what, range, problems).map(Some),
    };
    let vlan = number(written.vlan.as_ref(), "number of a VLAN", &VLANS, problems);
    let mtu = number(written.mtu.as_ref(), "length of a packet in bytes", &MTUS, problems);
    let routes = match &written.routes {
        None => Some(None),
        Some(routes) => {
            let routes: Vec<_> = routes.iter().map(|route| resolve_route(route, problems)).collect();
            routes.into_iter().collect::<Option<Vec<_>>>().map(Some)
        }
    };
    let search_domains = match &written.search_domains {
        None => Some(None),
        Some(domains) => {
            let domains: Vec<_> =
                domains.value.iter().map(|domain| search_domain(domain, problems)).collect();
            domains.into_iter().collect::<Option<Vec<_>>>().map(Some)
        }
    };
    let dhcp = written.dhcp.as_ref().map(|dhcp| dhcp.value);
    Some(Interface {
        device: device.ok()?,
        vlan: vlan?,
        mtu: mtu?,
        dhcp,
        routes: routes?,
        search_domains: search_domains?,
    })
}

fn device(written: &written::Interface, problems: &mut Problems) -> Result<Option<Device>, Unresolved> {
    let device = match (&written.name, &written.mac) {
        (None, None) => return Ok(None),
        (Some(name), None) => {
            let mistake = || InterfaceMistake::Name { name: name.value.clone() };
            let named = is_name(&name.value).then(|| Device::Name(name.value.clone()));
            problems.take(name.span, named.ok_or_else(mistake))
        }
        (None, Some(mac)) => {
            let mistake = || InterfaceMistake::Mac { mac: mac.value.clone() };
            problems.take(mac.span, parse_mac(&mac.value).map(Device::Mac).ok_or_else(mistake))
        }
        (Some(_), Some(mac)) => {
            problems.error(mac.span, InterfaceMistake::NameAndMac);
            None
        }
    };
    device.map(Some).ok_or(Unresolved)
}

/// Whether a text is the name of an interface, or a pattern of names.
fn is_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.*?".contains(&byte);
    (1..=NAME_LIMIT).contains(&text.len()) && text.bytes().all(is_allowed) && !text.starts_with(['-', '.'])
}

/// Parses the MAC address of a device. Multicast addresses, whose first byte is odd, and the zero address are refused.
fn parse_mac(text: &str) -> Option<Mac> {
    let pairs: Vec<_> = text.split([':', '-']).collect();
    let byte = |pair: &&str| (pair.len() == 2).then(|| u8::from_str_radix(pair, 16).ok())?;
    let bytes: Vec<_> = pairs.iter().map(byte).collect::<Option<_>>()?;
    let mac: [u8; 6] = bytes.try_into().ok()?;
    (mac[0] & 1 == 0 && mac != [0; 6]).then_some(Mac(mac))
}

fn resolve_route(written: &written::Route, problems: &mut Problems) -> Option<Route> {
    let (Some(to), Some(via)) = (&written.to.0, &written.via.0) else { return None };
    if to.value.parse::<IpNet>().is_ok_and(|to| to.prefix_len() == 0) {
        problems.error(to.span, InterfaceMistake::DefaultRoute { to: to.value.clone() });
        return None;
    }
    let is_ipv6 = to.value.contains(':');
    let range: Option<Spanned<IpNet>> = if is_ipv6 {
        parsed(to, parse_range::<Ipv6Addr>, problems).map(|to| to.map(IpNet::from))
    } else {
        parsed(to, parse_range::<Ipv4Addr>, problems).map(|to| to.map(IpNet::from))
    };
    let router: Option<Spanned<IpAddr>> = if via.value.contains(':') {
        parsed(via, parse_address::<Ipv6Addr>, problems).map(|via| via.map(IpAddr::from))
    } else {
        parsed(via, parse_address::<Ipv4Addr>, problems).map(|via| via.map(IpAddr::from))
    };
    let (to, via) = (range?, router?);
    if to.value.addr().is_ipv6() != via.value.is_ipv6() {
        problems.error(via.span, InterfaceMistake::MixedRoute { to: to.value });
        return None;
    }
    Some(Route { to, via })
}

fn search_domain(domain: &Text, problems: &mut Problems) -> Option<String> {
    let is_domain = is_host(&domain.value) && domain.value.parse::<IpAddr>().is_err();
    let mistake = || InterfaceMistake::Domain { domain: domain.value.clone() };
    problems.take(domain.span, is_domain.then(|| domain.value.clone()).ok_or_else(mistake))
}

/// Notes MAC addresses that two nodes have, and routes that a node cannot use.
pub(super) fn note_nodes(
    written: &[written::Node],
    nodes: &[Node],
    network: &Network,
    problems: &mut Problems,
) {
    let mut macs = FirstUse::default();
    for (written, node) in written.iter().zip(nodes) {
        let text = written.interface.as_ref().and_then(|interface| interface.mac.as_ref());
        if let (Some(Device::Mac(mac)), Some(text)) = (&node.interface.device, text)
            && let Some(first) = macs.earlier(*mac, text.span)
        {
            let mistake = InterfaceMistake::DuplicateMac { mac: *mac };
            problems.collision(text.span, mistake, first, "first used here");
        }
    }
    let of_all = network.interface.routes.as_deref().unwrap_or_default();
    for route in of_all {
        let user = nodes.iter().filter(|node| node.interface.routes.is_none());
        note_route(route, user, network, problems);
    }
    for node in nodes {
        for route in node.interface.routes.as_deref().unwrap_or_default() {
            note_route(route, std::iter::once(node), network, problems);
        }
    }
}

/// Notes what is wrong with a route on the first of the nodes that cannot use it.
fn note_route<'a>(
    Route { to, via }: &Route,
    nodes: impl Iterator<Item = &'a Node>,
    network: &Network,
    problems: &mut Problems,
) {
    let inner = [("range of the pods", network.pods), ("range of the services", network.services)];
    let inner = inner.into_iter().flat_map(|(what, ranges)| ranges.each().map(move |range| (what, range)));
    let inner: Vec<_> = inner.collect();
    for node in nodes {
        let own = node.address.each().map(|address| ("network of the node", address.trunc()));
        let around = own.chain(inner.iter().copied()).find(|(_, range)| range.contains(&to.value));
        if let Some((what, range)) = around {
            problems.error(to.span, InterfaceMistake::Inside { to: to.value, what, range });
            return;
        }
        if !node.address.each().any(|address| address.contains(&via.value)) {
            let mistake = InterfaceMistake::RouterElsewhere { via: via.value, node: node.name.to_string() };
            problems.error(via.span, mistake);
            return;
        }
    }
}
