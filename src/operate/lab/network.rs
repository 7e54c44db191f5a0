//! The network of the lab, with its routers and speakers.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::check::LabCheck;
use super::error::LabError;
use super::gobgp::{Gobgp, Misconfiguration};
use super::namespace::{create, set_parameter};
use super::plan::LabPlan;
use super::programs::{read, run};
use super::router::LabRouter;
use super::traffic;

/// The lab mounts file systems of its own here. Nothing that is written there outlives the lab.
const FOLDERS: [&str; 2] = ["/run", "/var/tmp"];
const FOLDER: &str = "/run/rk1-lab";
const BRIDGE: &str = "lan";
pub(super) const CLIENT: &str = "client";
/// How often a router's routes are flushed, and the pause between.
const FLUSHES: u32 = 20;
const FLUSH_PAUSE: Duration = Duration::from_millis(50);
/// The client's network behind the first router: the client's side and the router's (RFC 5737, RFC 3849).
const CLIENT_IPV4: [Ipv4Net; 2] = [
    Ipv4Net::new_assert(Ipv4Addr::new(192, 0, 2, 2), 24),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 0, 2, 1), 24),
];
const CLIENT_IPV6: [Ipv6Net; 2] = [
    Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2), 64),
    Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), 64),
];
/// The network between a router in between and the router behind it: the side of the former and of the latter (RFC 5737,
/// RFC 3849).
const LINK_IPV4: [Ipv4Net; 2] = [
    Ipv4Net::new_assert(Ipv4Addr::new(198, 51, 100, 1), 24),
    Ipv4Net::new_assert(Ipv4Addr::new(198, 51, 100, 2), 24),
];
const LINK_IPV6: [Ipv6Net; 2] = [
    Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 1), 64),
    Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 2), 64),
];
/// Lines of a log that are shown when a check failed.
const LOG_TAIL: usize = 8;

/// The time between two looks.
const POLL: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(super) struct LabNetwork<'a> {
    pub(super) plan: &'a LabPlan,
    folder: PathBuf,
    pub(super) routers: Vec<LabRouter>,
    /// The speaker of each node, while it runs.
    pub(super) speakers: Vec<Option<Gobgp>>,
    /// The checks that were made while the routers started.
    pub(super) start_checks: Vec<LabCheck>,
}

/// Returns the namespace of the router at a position.
pub(super) fn router_namespace(position: usize) -> String {
    format!("router-{position}")
}

/// Adds an address that can be used at once: no other host of the lab has it.
fn add_address(namespace: &str, address: IpNet, interface: &str) -> Result<(), LabError> {
    let text = address.to_string();
    let arguments = ["-n", namespace, "address", "add", &text, "dev", interface];
    let at_once: &[_] = if address.addr().is_ipv6() { &["nodad"] } else { &[] };
    run("ip", &[&arguments[..], at_once].concat()).map(drop)
}

/// Adds a route, or replaces the one to the same network.
fn add_route(namespace: &str, network: &str, path: &[&str]) -> Result<(), LabError> {
    let family = if network.contains(':') { "-6" } else { "-4" };
    let fixed = ["-n", namespace, family, "route", "replace", network];
    run("ip", &[&fixed[..], path].concat()).map(drop)
}

/// Lets a namespace forward packets of the family of an address.
fn forward(namespace: &str, address: IpAddr) -> Result<(), LabError> {
    let parameter = if address.is_ipv4() { "ipv4/ip_forward" } else { "ipv6/conf/all/forwarding" };
    set_parameter(namespace, parameter, "1")
}

/// Returns both sides of the link behind a router in between, in the family of an address.
fn link(address: IpAddr) -> [IpNet; 2] {
    match address {
        IpAddr::V4(_) => LINK_IPV4.map(IpNet::from),
        IpAddr::V6(_) => LINK_IPV6.map(IpNet::from),
    }
}

/// Returns the address of a router in between on its link to the router behind it, which is the next hop of all nodes there.
pub(super) fn between_address(family: IpAddr) -> IpAddr {
    let [between, _] = link(family);
    between.addr()
}

/// Keeps IPv6 addresses while the cable is out. IPv4 addresses stay anyway.
fn keep_ipv6_addresses(namespace: &str) -> Result<(), LabError> {
    set_parameter(namespace, "ipv6/conf/all/keep_addr_on_down", "1")
}

impl<'a> LabNetwork<'a> {
    /// Builds the network and starts the routers. No speaker runs yet.
    pub(super) fn build(plan: &'a LabPlan) -> Result<Self, LabError> {
        for folder in FOLDERS.into_iter().filter(|folder| Path::new(folder).is_dir()) {
            run("mount", &["-t", "tmpfs", "-o", "mode=1777", "rk1-lab", folder])?;
        }
        fs::create_dir_all(FOLDER)?;
        run("ip", &["link", "add", BRIDGE, "type", "bridge"])?;
        run("ip", &["link", "set", BRIDGE, "up"])?;
        let mut network = Self {
            plan,
            folder: PathBuf::from(FOLDER),
            routers: Vec::new(),
            speakers: plan.nodes.iter().map(|_| None).collect(),
            start_checks: Vec::new(),
        };
        for (position, router) in plan.routers.iter().enumerate() {
            let namespace = router_namespace(position);
            if router.between.is_empty() {
                Self::connect(&namespace, &router.addresses)?;
            } else {
                network.connect_behind(position)?;
            }
            for address in &router.addresses {
                forward(&namespace, address.addr())?;
                let version = if address.addr().is_ipv4() { "ipv4" } else { "ipv6" };
                // Choose the next hop for each connection, not for each pair of addresses.
                set_parameter(&namespace, &format!("{version}/fib_multipath_hash_policy"), "1")?;
            }
        }
        network.connect_client()?;
        for (node, position) in plan.nodes.iter().zip(0_usize..) {
            let namespace = node.name.as_str();
            Self::connect(namespace, &node.addresses)?;
            for family in &plan.families {
                add_address(namespace, IpNet::from(family.gateway), "lo")?;
                traffic::answer(namespace, family.gateway)?;
            }
            network.lead_to_routers(namespace)?;
            network.speakers[position] = None;
        }
        for (position, planned) in plan.routers.iter().enumerate() {
            let (router, checks) = LabRouter::start(&network.folder, &router_namespace(position), planned)?;
            network.routers.push(router);
            network.start_checks.extend(
                checks
                    .into_iter()
                    .map(|check| LabCheck { what: format!("{}: {}", planned.name, check.what), ..check }),
            );
        }
        Ok(network)
    }

    /// Creates a namespace on the network of the nodes.
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

    /// Creates the namespace of a router that is not on the network of the nodes, and one between both.
    fn connect_behind(&self, position: usize) -> Result<(), LabError> {
        let router = &self.plan.routers[position];
        let (between, behind) = (format!("between-{position}"), router_namespace(position));
        Self::connect(&between, &router.between)?;
        create(&behind)?;
        let pair = ["-n", &between, "link", "add", "behind", "type", "veth", "peer", "name", "eth0", "netns"];
        run("ip", &[&pair[..], &[&behind]].concat())?;
        run("ip", &["-n", &between, "link", "set", "behind", "up"])?;
        run("ip", &["-n", &behind, "link", "set", "eth0", "up"])?;
        for address in &router.addresses {
            let [of_between, of_behind] = link(address.addr());
            add_address(&between, of_between, "behind")?;
            add_address(&behind, of_behind, "eth0")?;
            add_address(&behind, *address, "lo")?;
            forward(&between, address.addr())?;
            add_route(&between, &address.to_string(), &["via", &of_behind.addr().to_string()])?;
        }
        for network in self.plan.nodes.first().iter().flat_map(|node| &node.addresses) {
            let via = between_address(network.addr()).to_string();
            add_route(&behind, &network.trunc().to_string(), &["via", &via])?;
        }
        Ok(())
    }

    /// Adds a node's routes: to the client through the router in front of it, and to each router that is not on the network of
    /// the nodes.
    fn lead_to_routers(&self, namespace: &str) -> Result<(), LabError> {
        let entrance = self.plan.entrance().map(|position| &self.plan.routers[position]);
        for address in entrance.iter().flat_map(|router| &router.addresses) {
            let default = if address.addr().is_ipv4() { "0.0.0.0/0" } else { "::/0" };
            add_route(namespace, default, &["via", &address.addr().to_string()])?;
        }
        for router in &self.plan.routers {
            for (address, between) in router.addresses.iter().zip(&router.between) {
                add_route(namespace, &address.to_string(), &["via", &between.addr().to_string()])?;
            }
        }
        Ok(())
    }

    /// Returns the number of namespaces on the network of the nodes.
    fn ports() -> Result<usize, LabError> {
        Ok(run("ip", &["-o", "link", "show", "master", BRIDGE])?.lines().count())
    }

    fn connect_client(&self) -> Result<(), LabError> {
        let Some(position) = self.plan.entrance() else { return Ok(()) };
        let router = router_namespace(position);
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

    /// Returns what a node announces: the gateway's addresses, if a peer is to hear of them.
    pub(super) fn announced(&self) -> Vec<IpNet> {
        let peers = &self.plan.speaker.peers;
        let gateways = self.plan.families.iter().map(|family| family.gateway);
        gateways.filter(|gateway| peers.iter().any(|peer| peer.hears_of(*gateway))).map(IpNet::from).collect()
    }

    /// Starts a node's speaker.
    pub(super) fn start_speaker(
        &mut self,
        node: usize,
        misconfiguration: Misconfiguration,
    ) -> Result<(), LabError> {
        self.stop_speaker(node);
        self.speakers[node] = Some(self.speaker(node, misconfiguration)?);
        Ok(())
    }

    /// Starts a further speaker on a node.
    pub(super) fn speaker(&self, node: usize, misconfiguration: Misconfiguration) -> Result<Gobgp, LabError> {
        let planned = &self.plan.nodes[node];
        let router_id = planned.router_id;
        Gobgp::start(
            &self.folder,
            &planned.name,
            router_id,
            &self.plan.speaker,
            &self.announced(),
            misconfiguration,
        )
    }

    /// Kills a node's speaker.
    pub(super) fn stop_speaker(&mut self, node: usize) {
        self.speakers[node] = None;
    }

    /// Takes a router's power away. The routes that its daemons have put into the kernel go with it.
    pub(super) fn cut_router(&mut self, position: usize) {
        self.routers[position] = LabRouter::Off;
        let namespace = router_namespace(position);
        // FRR's routes refer to next hops of their own in the kernel. A version of `ip` may know none.
        let _ = run("ip", &["-n", &namespace, "nexthop", "flush"]);
        for (family, protocol) in [("-4", "bgp"), ("-6", "bgp"), ("-4", "bird"), ("-6", "bird")] {
            // One flush can leave a part of a route with several next hops.
            for _ in 0..FLUSHES {
                // A version of `ip` may know no such protocol, or have no such route.
                let _ = run("ip", &["-n", &namespace, family, "route", "flush", "proto", protocol]);
                let rest = read("ip", &["-n", &namespace, family, "route", "show", "proto", protocol]);
                if rest.is_ok_and(|rest| !rest.trim().is_empty()) {
                    thread::sleep(FLUSH_PAUSE);
                } else {
                    break;
                }
            }
        }
    }

    /// Boots a router with its rendered configuration.
    pub(super) fn boot_router(&mut self, position: usize) -> Result<(), LabError> {
        let namespace = router_namespace(position);
        fs::remove_dir_all(self.folder.join(&namespace))?;
        let (router, _) = LabRouter::start(&self.folder, &namespace, &self.plan.routers[position])?;
        self.routers[position] = router;
        Ok(())
    }

    /// Unplugs a node's cable, or plugs it in.
    pub(super) fn set_cable(&self, node: usize, is_in: bool) -> Result<(), LabError> {
        let (name, state) = (&self.plan.nodes[node].name, if is_in { "up" } else { "down" });
        run("ip", &["-n", name, "link", "set", "eth0", state])?;
        if is_in { self.lead_to_routers(name) } else { Ok(()) }
    }

    /// Returns the ends of the logs of routers and speakers.
    pub(super) fn log_tails(&self) -> Vec<String> {
        let mut words = Vec::new();
        let routers = self.plan.routers.iter().zip(&self.routers);
        let routers = routers.map(|(planned, router)| (planned.name.as_str(), router.log()));
        let speakers = self.plan.nodes.iter().zip(&self.speakers);
        let speakers =
            speakers.filter_map(|(node, speaker)| Some((node.name.as_str(), speaker.as_ref()?.log())));
        for (name, log) in routers.chain(speakers) {
            // Most lines of a speaker are about keepalives.
            let lines: Vec<&str> = log.lines().filter(|line| !line.contains("\"msg\":\"sent\"")).collect();
            for line in &lines[lines.len().saturating_sub(LOG_TAIL)..] {
                words.push(format!("{name}: {line}"));
            }
        }
        words
    }
}

/// Waits until `is_so`, and returns how long that took. `None` after the limit.
pub(super) fn wait(
    limit: Duration,
    mut is_so: impl FnMut() -> Result<bool, LabError>,
) -> Result<Option<Duration>, LabError> {
    let started = Instant::now();
    loop {
        if is_so()? {
            return Ok(Some(started.elapsed()));
        }
        if started.elapsed() > limit {
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}
