//! A node's BGP speaker: `GoBGP`, configured from the custom resources as Cilium does it.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use serde_json::{Value, json};

use super::error::LabError;
use super::plan::PASSWORD;
use super::programs::{LabProcess, read, run};
use super::resource::Speaker;

/// A speaker that runs in a node's namespace.
#[derive(Debug)]
pub(super) struct Gobgp {
    namespace: String,
    api_port: u16,
    pub(super) log: PathBuf,
    _process: LabProcess,
}

/// How a speaker differs from what the resources say.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Misconfiguration {
    pub(super) asn: Option<u32>,
    pub(super) password: Option<&'static str>,
    /// A second speaker beside the node's own: it has another router id and another port for its API.
    pub(super) is_second: bool,
}

/// The port of a speaker's API, in its own namespace.
const API_PORT: u16 = 50051;
/// The longest that a speaker takes to start.
const START: Duration = Duration::from_secs(10);

impl Gobgp {
    /// Starts the speaker of a node and announces networks.
    pub(super) fn start(
        folder: &Path,
        namespace: &str,
        router_id: Ipv4Addr,
        speaker: &Speaker,
        announced: &[IpNet],
        misconfiguration: Misconfiguration,
    ) -> Result<Self, LabError> {
        let name =
            if misconfiguration.is_second { format!("{namespace}-second") } else { namespace.to_owned() };
        let config = folder.join(format!("{name}.json"));
        fs::write(&config, configuration(namespace, router_id, speaker, misconfiguration).to_string())?;
        let log = folder.join(format!("{name}.log"));
        let _ = fs::remove_file(&log);
        let api_port = API_PORT + u16::from(misconfiguration.is_second);
        let config = config.display().to_string();
        let api = format!("127.0.0.1:{api_port}");
        // `-r` sets the restart flag: a Cilium agent that starts may always have been running a moment ago.
        let arguments =
            ["-t", "json", "-f", &config, "-r", "-l", "debug", "--api-hosts", &api, "--pprof-disable"];
        let process = LabProcess::start(namespace, "gobgpd", &arguments, &log)?;
        let gobgp = Self { namespace: namespace.to_owned(), api_port, log, _process: process };
        let started = Instant::now();
        while gobgp.call(&["global"]).is_err() {
            if started.elapsed() > START {
                return Err(LabError::Late { what: format!("the speaker of {namespace}"), limit: START });
            }
            thread::sleep(Duration::from_millis(50));
        }
        for prefix in announced {
            gobgp.announce(*prefix)?;
        }
        Ok(gobgp)
    }

    fn call(&self, arguments: &[&str]) -> Result<String, LabError> {
        let port = self.api_port.to_string();
        let fixed = ["netns", "exec", &self.namespace, "gobgp", "-p", &port];
        run("ip", &[&fixed, arguments].concat())
    }

    /// Announces a network to all peers.
    pub(super) fn announce(&self, prefix: IpNet) -> Result<(), LabError> {
        let family = family(prefix.addr());
        self.call(&["global", "rib", "add", &prefix.to_string(), "-a", family]).map(drop)
    }

    pub(super) fn withdraw(&self, prefix: IpNet) -> Result<(), LabError> {
        let family = family(prefix.addr());
        self.call(&["global", "rib", "del", &prefix.to_string(), "-a", family]).map(drop)
    }

    /// Returns what it has announced to a router, over the session with this address.
    pub(super) fn announced(&self, router: IpAddr) -> Result<Vec<IpNet>, LabError> {
        let (port, family, router) = (self.api_port.to_string(), family(router), router.to_string());
        let fixed = ["netns", "exec", &self.namespace, "gobgp", "-p", &port, "-j"];
        let arguments = [&fixed[..], &["neighbor", &router, "adj-out", "-a", family]].concat();
        let said = read("ip", &arguments)?;
        let json: Value = serde_json::from_str(&said)
            .map_err(|_| LabError::Unexpected { command: arguments.join(" "), said: said.clone() })?;
        let mut prefixes: Vec<_> = match &json {
            Value::Object(by_prefix) => by_prefix.keys().filter_map(|prefix| prefix.parse().ok()).collect(),
            _ => Vec::new(),
        };
        prefixes.sort();
        Ok(prefixes)
    }

    /// Returns the state of its session with a router, in the notation of `GoBGP`.
    pub(super) fn session_state(&self, router: IpAddr) -> Result<String, LabError> {
        let said = self.call(&["neighbor", &router.to_string()])?;
        let state = said.lines().find_map(|line| line.trim().strip_prefix("BGP state = "));
        Ok(state.and_then(|rest| rest.split(',').next()).unwrap_or("unknown").to_owned())
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// Returns the name that `gobgp -a` has for the family of an address.
fn family(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "ipv4" } else { "ipv6" }
}

/// `GoBGP`'s configuration (osrg/gobgp, `docs/sources/configuration.md`).
fn configuration(
    node: &str,
    router_id: Ipv4Addr,
    speaker: &Speaker,
    misconfiguration: Misconfiguration,
) -> Value {
    let router_id = if misconfiguration.is_second { Ipv4Addr::new(192, 0, 2, 99) } else { router_id };
    let neighbors: Vec<_> = speaker
        .peers
        .iter()
        .map(|peer| {
            let password = misconfiguration.password.or(peer.has_password.then_some(PASSWORD));
            let families: Vec<_> = peer
                .families
                .iter()
                .map(|family| {
                    json!({
                        "config": { "afi-safi-name": format!("{}-{}", family.afi, family.safi) },
                        "mp-graceful-restart": { "config": { "enabled": peer.restart_time.is_some() } },
                    })
                })
                .collect();
            let mut config = json!({ "neighbor-address": peer.address, "peer-as": peer.asn });
            if let Some(password) = password {
                config["auth-password"] = password.into();
            }
            json!({
                "config": config,
                "timers": { "config": {
                    "hold-time": peer.hold_time,
                    "keepalive-interval": peer.keepalive,
                    "connect-retry": peer.connect_retry,
                } },
                // Cilium sets all three (pkg/bgp/gobgp/conversions.go): enabled, the N bit, and the restart flag.
                "graceful-restart": { "config": {
                    "enabled": peer.restart_time.is_some(),
                    "restart-time": peer.restart_time.unwrap_or_default(),
                    "notification-enabled": peer.restart_time.is_some(),
                } },
                // Ignored over iBGP, as in Cilium.
                "ebgp-multihop": { "config": {
                    "enabled": peer.ebgp_multihop > 1,
                    "multihop-ttl": peer.ebgp_multihop,
                } },
                "afi-safis": families,
            })
        })
        .collect();
    json!({
        "global": { "config": {
            "as": misconfiguration.asn.unwrap_or_else(|| speaker.asn_of(node)),
            "router-id": router_id,
            // No port: it dials, as Cilium does.
            "port": -1,
        } },
        "neighbors": neighbors,
    })
}
