//! The lab as it stands: the network, the routers and the speakers.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::gobgp::{Gobgp, Oddity};
use super::namespace::{create, set_parameter};
use super::plan::Plan;
use super::programs::run;
use super::router::Router;
use super::{Finding, LabError, traffic};

/// The lab's own file systems lie over these. Nothing of what is written there outlives the lab.
const FOLDERS: [&str; 2] = ["/run", "/var/tmp"];
const FOLDER: &str = "/run/rk1-lab";
const BRIDGE: &str = "lan";
pub(super) const CLIENT: &str = "client";
/// The client's network behind the first router: the client's side and the router's (RFC 5737, RFC 3849).
const CLIENT_IPV4: [Ipv4Net; 2] = [
    Ipv4Net::new_assert(Ipv4Addr::new(192, 0, 2, 2), 24),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 0, 2, 1), 24),
];
const CLIENT_IPV6: [Ipv6Net; 2] = [
    Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2), 64),
    Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), 64),
];
/// Lines of a log that are shown when something was wrong.
const LOG_TAIL: usize = 8;

#[derive(Debug)]
pub(super) struct Room<'a> {
    pub(super) plan: &'a Plan,
    folder: PathBuf,
    pub(super) routers: Vec<Router>,
    /// The speaker of each node, while it runs.
    pub(super) speakers: Vec<Option<Gobgp>>,
    /// What was found while the routers started.
    pub(super) start_findings: Vec<Finding>,
}

/// The namespace of the router at a position.
pub(super) fn router_namespace(position: usize) -> String {
    format!("router-{position}")
}

/// Gives an interface an address that can be used at once: nobody else in the lab can have it.
fn add_address(namespace: &str, address: IpNet, interface: &str) -> Result<(), LabError> {
    let text = address.to_string();
    let arguments = ["-n", namespace, "address", "add", &text, "dev", interface];
    let at_once: &[_] = if address.addr().is_ipv6() { &["nodad"] } else { &[] };
    run("ip", &[&arguments[..], at_once].concat()).map(drop)
}

/// IPv6 addresses outlive the cable, as those of IPv4 do by themselves.
fn keep_ipv6_addresses(namespace: &str) -> Result<(), LabError> {
    set_parameter(namespace, "ipv6/conf/all/keep_addr_on_down", "1")
}

impl<'a> Room<'a> {
    /// Builds the network and starts the routers. No node speaks yet.
    pub(super) fn build(plan: &'a Plan) -> Result<Self, LabError> {
        for folder in FOLDERS.into_iter().filter(|folder| Path::new(folder).is_dir()) {
            run("mount", &["-t", "tmpfs", "-o", "mode=1777", "rk1-lab", folder])?;
        }
        fs::create_dir_all(FOLDER)?;
        run("ip", &["link", "add", BRIDGE, "type", "bridge"])?;
        run("ip", &["link", "set", BRIDGE, "up"])?;
        let mut room = Self {
            plan,
            folder: PathBuf::from(FOLDER),
            routers: Vec::new(),
            speakers: plan.nodes.iter().map(|_| None).collect(),
            start_findings: Vec::new(),
        };
        for (position, router) in plan.routers.iter().enumerate() {
            let namespace = router_namespace(position);
            Self::connect(&namespace, &router.addresses)?;
            for address in &router.addresses {
                let (forwarding, version) = match address {
                    IpNet::V4(_) => ("ipv4/ip_forward", "ipv4"),
                    IpNet::V6(_) => ("ipv6/conf/all/forwarding", "ipv6"),
                };
                set_parameter(&namespace, forwarding, "1")?;
                // Each connection takes its own way, and not each pair of addresses.
                set_parameter(&namespace, &format!("{version}/fib_multipath_hash_policy"), "1")?;
            }
        }
        room.connect_client()?;
        for (node, position) in plan.nodes.iter().zip(0_usize..) {
            let namespace = node.name.as_str();
            Self::connect(namespace, &node.addresses)?;
            for family in &plan.families {
                add_address(namespace, IpNet::from(family.gateway), "lo")?;
                traffic::answer(namespace, family.gateway)?;
            }
            room.lead_to_client(namespace)?;
            room.speakers[position] = None;
        }
        for (position, planned) in plan.routers.iter().enumerate() {
            let (router, findings) = Router::start(&room.folder, &router_namespace(position), planned)?;
            room.routers.push(router);
            room.start_findings.extend(
                findings.into_iter().map(|finding| Finding {
                    what: format!("{}: {}", planned.name, finding.what),
                    ..finding
                }),
            );
        }
        Ok(room)
    }

    /// A namespace on the network of the nodes.
    fn connect(namespace: &str, addresses: &[IpNet]) -> Result<(), LabError> {
        create(namespace)?;
        if addresses.iter().any(|address| address.addr().is_ipv6()) {
            keep_ipv6_addresses(namespace)?;
        }
        // Names of interfaces are short (IFNAMSIZ), names of nodes need not be.
        let port = format!("port-{}", Self::ports()?);
        let link = ["link", "add", &port, "type", "veth", "peer", "name", "eth0", "netns", namespace];
        run("ip", &link)?;
        run("ip", &["link", "set", &port, "master", BRIDGE, "up"])?;
        for address in addresses {
            add_address(namespace, *address, "eth0")?;
        }
        run("ip", &["-n", namespace, "link", "set", "eth0", "up"]).map(drop)
    }

    /// From a node the first router leads to the client.
    fn lead_to_client(&self, namespace: &str) -> Result<(), LabError> {
        for address in self.plan.routers.first().iter().flat_map(|router| &router.addresses) {
            let family = if address.addr().is_ipv4() { "-4" } else { "-6" };
            let via = address.addr().to_string();
            run("ip", &["-n", namespace, family, "route", "replace", "default", "via", &via])?;
        }
        Ok(())
    }

    /// How many machines are on the network of the nodes.
    fn ports() -> Result<usize, LabError> {
        Ok(run("ip", &["-o", "link", "show", "master", BRIDGE])?.lines().count())
    }

    fn connect_client(&self) -> Result<(), LabError> {
        if self.plan.routers.is_empty() {
            return Ok(());
        }
        let router = router_namespace(0);
        create(CLIENT)?;
        let pair = ["-n", &router, "link", "add", "clients", "type", "veth", "peer", "name", "eth0", "netns"];
        run("ip", &[&pair[..], &[CLIENT]].concat())?;
        run("ip", &["-n", &router, "link", "set", "clients", "up"])?;
        run("ip", &["-n", CLIENT, "link", "set", "eth0", "up"])?;
        for family in &self.plan.families {
            let (version, [client_side, router_side]) = match family.gateway {
                IpAddr::V4(_) => ("-4", CLIENT_IPV4.map(IpNet::V4)),
                IpAddr::V6(_) => ("-6", CLIENT_IPV6.map(IpNet::V6)),
            };
            add_address(&router, router_side, "clients")?;
            add_address(CLIENT, client_side, "eth0")?;
            let via = router_side.addr().to_string();
            run("ip", &["-n", CLIENT, version, "route", "add", "default", "via", &via])?;
        }
        Ok(())
    }

    /// What a node announces: the gateway, to the routers that hear of services.
    pub(super) fn announced(&self) -> Vec<IpNet> {
        let peers = &self.plan.speaker.peers;
        let gateways = self.plan.families.iter().map(|family| family.gateway);
        gateways.filter(|gateway| peers.iter().any(|peer| peer.hears_of(*gateway))).map(IpNet::from).collect()
    }

    /// Starts a node's speaker.
    pub(super) fn speak(&mut self, node: usize, oddity: Oddity) -> Result<(), LabError> {
        self.silence(node);
        self.speakers[node] = Some(self.speaker(node, oddity)?);
        Ok(())
    }

    /// A speaker of a node, beside whatever the node runs.
    pub(super) fn speaker(&self, node: usize, oddity: Oddity) -> Result<Gobgp, LabError> {
        let planned = &self.plan.nodes[node];
        let router_id = planned.router_id;
        Gobgp::start(&self.folder, &planned.name, router_id, &self.plan.speaker, &self.announced(), oddity)
    }

    /// Kills a node's speaker.
    pub(super) fn silence(&mut self, node: usize) {
        self.speakers[node] = None;
    }

    /// Pulls a node's cable, or puts it back.
    pub(super) fn set_cable(&self, node: usize, is_in: bool) -> Result<(), LabError> {
        let (name, state) = (&self.plan.nodes[node].name, if is_in { "up" } else { "down" });
        run("ip", &["-n", name, "link", "set", "eth0", state])?;
        if is_in { self.lead_to_client(name) } else { Ok(()) }
    }

    /// The last words of routers and speakers.
    pub(super) fn last_words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let routers = self.plan.routers.iter().zip(&self.routers);
        let routers = routers.map(|(planned, router)| (planned.name.as_str(), router.log()));
        let speakers = self.plan.nodes.iter().zip(&self.speakers);
        let speakers =
            speakers.filter_map(|(node, speaker)| Some((node.name.as_str(), speaker.as_ref()?.log())));
        for (name, log) in routers.chain(speakers) {
            // A speaker's keepalives would be most of it.
            let lines: Vec<&str> = log.lines().filter(|line| !line.contains("\"msg\":\"sent\"")).collect();
            for line in &lines[lines.len().saturating_sub(LOG_TAIL)..] {
                words.push(format!("{name}: {line}"));
            }
        }
        words
    }
}
