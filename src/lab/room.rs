//! The lab as it stands: the network, the routers and the speakers.

use std::fs;
use std::path::{Path, PathBuf};

use ipnet::Ipv4Net;

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
/// The client's network behind the first router (RFC 5737).
const CLIENT_NETWORK: &str = "192.0.2.2/24";
const ROUTER_TO_CLIENT: &str = "192.0.2.1/24";
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
            Self::connect(&namespace, router.address)?;
            set_parameter(&namespace, "ipv4/ip_forward", "1")?;
            // Each connection takes its own way, and not each pair of addresses.
            set_parameter(&namespace, "ipv4/fib_multipath_hash_policy", "1")?;
        }
        room.connect_client()?;
        for (node, position) in plan.nodes.iter().zip(0_usize..) {
            let namespace = node.name.as_str();
            Self::connect(namespace, node.address)?;
            run("ip", &["-n", namespace, "address", "add", &format!("{}/32", plan.gateway), "dev", "lo"])?;
            // The first router leads to the client.
            if let Some(router) = plan.routers.first() {
                let via = router.address.addr().to_string();
                run("ip", &["-n", namespace, "route", "add", "default", "via", &via])?;
            }
            traffic::answer(namespace, plan.gateway)?;
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
    fn connect(namespace: &str, address: Ipv4Net) -> Result<(), LabError> {
        create(namespace)?;
        // Names of interfaces are short (IFNAMSIZ), names of nodes need not be.
        let port = format!("port-{}", Self::ports()?);
        let link = ["link", "add", &port, "type", "veth", "peer", "name", "eth0", "netns", namespace];
        run("ip", &link)?;
        run("ip", &["link", "set", &port, "master", BRIDGE, "up"])?;
        run("ip", &["-n", namespace, "address", "add", &address.to_string(), "dev", "eth0"])?;
        run("ip", &["-n", namespace, "link", "set", "eth0", "up"]).map(drop)
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
        run("ip", &["-n", &router, "address", "add", ROUTER_TO_CLIENT, "dev", "clients"])?;
        run("ip", &["-n", &router, "link", "set", "clients", "up"])?;
        run("ip", &["-n", CLIENT, "address", "add", CLIENT_NETWORK, "dev", "eth0"])?;
        run("ip", &["-n", CLIENT, "link", "set", "eth0", "up"])?;
        let via = ROUTER_TO_CLIENT.split('/').next().unwrap_or_default();
        run("ip", &["-n", CLIENT, "route", "add", "default", "via", via]).map(drop)
    }

    /// What a node announces: the gateway, to the routers that hear of services.
    pub(super) fn announced(&self) -> Vec<Ipv4Net> {
        let hears = self.plan.speaker.peers.iter().any(|peer| peer.hears_services);
        let gateway = Ipv4Net::from(self.plan.gateway);
        if hears { vec![gateway] } else { Vec::new() }
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
        let address = planned.address.addr();
        Gobgp::start(&self.folder, &planned.name, address, &self.plan.speaker, &self.announced(), oddity)
    }

    /// Kills a node's speaker.
    pub(super) fn silence(&mut self, node: usize) {
        self.speakers[node] = None;
    }

    /// Pulls a node's cable, or puts it back.
    pub(super) fn set_cable(&self, node: usize, is_in: bool) -> Result<(), LabError> {
        let (name, state) = (&self.plan.nodes[node].name, if is_in { "up" } else { "down" });
        run("ip", &["-n", name, "link", "set", "eth0", state])?;
        if let (true, Some(router)) = (is_in, self.plan.routers.first()) {
            let via = router.address.addr().to_string();
            run("ip", &["-n", name, "route", "replace", "default", "via", &via])?;
        }
        Ok(())
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
