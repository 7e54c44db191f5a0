//! A session, judged from both of its ends.

use std::net::IpAddr;

use super::gateway::follows_from;
use super::session_end::{NodeEnd, RouterEnd, node_end, router_end};
use crate::config::cluster::{Cluster, Node, Router};
use crate::operate::status::facts::{KubernetesFacts, Labels, Lookup, Peer, Probed, RouterFacts};
use crate::operate::status::finding::{Cause, Finding};
use crate::operate::status::observation::NodeObservation;
use crate::render::routers;

/// Judges the session over IPv4, and where the cluster is dual-stack the one over IPv6 beside it.
pub(super) fn judge(
    cluster: &Cluster,
    router: &Router,
    node: &Node,
    found: &NodeObservation,
    gateway: Option<&Finding>,
    probed: Option<&Probed<RouterFacts>>,
    kubernetes: &Probed<KubernetesFacts>,
) -> Finding {
    let judge = |(from, to): (IpAddr, IpAddr)| {
        Ends { cluster, router, node, gateway, from, to }.judge(found, probed, kubernetes)
    };
    let findings = node.address.addresses().each().zip(router.address.each()).map(judge);
    findings.reduce(Finding::beside_ipv6).unwrap_or_else(|| Finding::follows("there is no session"))
}

/// Both ends of a session.
struct Ends<'a> {
    cluster: &'a Cluster,
    router: &'a Router,
    node: &'a Node,
    /// `None` where it is not asked about.
    gateway: Option<&'a Finding>,
    /// The address of the node, which dials.
    from: IpAddr,
    /// The address of the router.
    to: IpAddr,
}

impl Ends<'_> {
    fn judge(
        &self,
        found: &NodeObservation,
        probed: Option<&Probed<RouterFacts>>,
        kubernetes: &Probed<KubernetesFacts>,
    ) -> Finding {
        if let Ok(kubernetes) = kubernetes
            && let Some(finding) = self.missing_password(kubernetes)
        {
            return finding;
        }
        let (node, router) = (&self.node.name, &self.router.name);
        match (router_end(self.from, probed), node_end(self.node, self.to, found, kubernetes)) {
            (RouterEnd::Established { uptime, routes }, NodeEnd::Established { advertised }) => {
                self.established(uptime, routes, advertised, kubernetes)
            }
            (RouterEnd::Off | RouterEnd::Unknown, NodeEnd::Established { advertised: Some(0) }) => {
                self.nothing_announced(kubernetes)
            }
            (RouterEnd::Off, NodeEnd::Established { .. }) => {
                Finding::good(format!("established, according to {node}"))
            }
            (RouterEnd::Unknown, NodeEnd::Established { .. }) => {
                Finding::follows(format!("established according to {node}; {router} did not answer"))
            }
            (RouterEnd::Down(state), NodeEnd::Established { .. }) => self.only_node(state),
            (_, NodeEnd::NoPeer) => self.no_peer(kubernetes),
            (RouterEnd::Established { .. }, NodeEnd::Down(state)) => self.only_router(state),
            (RouterEnd::Down(router), NodeEnd::Down(node)) => self.down(router, node),
            (RouterEnd::Unknown, NodeEnd::Down(state)) => {
                self.node_down(&format!("{node} says {state}; {router} did not answer"))
            }
            (RouterEnd::Off, NodeEnd::Down(state)) => self.node_down(&format!("{node} says {state}")),
            (RouterEnd::Down(state), NodeEnd::Unknown { why, follows: true }) => {
                Finding::follows(format!("{router} says {state}; {why}"))
            }
            (RouterEnd::Down(state), NodeEnd::Unknown { why, follows: false }) => {
                self.router_down(state, &why)
            }
            (router_end, NodeEnd::Unknown { why, follows }) => {
                let front = match router_end {
                    RouterEnd::Established { .. } => format!("established according to {router}; "),
                    RouterEnd::Down(_) | RouterEnd::Unknown | RouterEnd::Off => String::new(),
                };
                let why = format!("{front}{why}");
                if follows {
                    Finding::follows(why)
                } else {
                    Finding::unknown(why, "`kubectl get ciliumbgpnodeconfig`")
                }
            }
        }
    }

    /// The name of the peer, and of its `CiliumBGPPeerConfig`.
    fn peer_name<'a>(&self, kubernetes: &'a KubernetesFacts) -> Option<&'a str> {
        let peers = kubernetes.bgp.peers.as_ref().ok()?.found()?;
        let peer: &Peer = peers.get(self.node.name.as_str())?.get(&self.to)?;
        Some(&peer.name)
    }

    /// Without the Secret of its password Cilium peers without a password, which some routers accept.
    fn missing_password(&self, kubernetes: &KubernetesFacts) -> Option<Finding> {
        let name = self.peer_name(kubernetes)?;
        let config = kubernetes.bgp.peer_configs.as_ref().ok()?.found()?.get(name)?;
        let condition = config.conditions.get("cilium.io/MissingAuthSecret")?;
        condition.is_true.then(|| {
            let what = format!("Cilium dials {} without a password: {}", self.router.name, condition.message);
            let look_at = "`rk1 secrets`, and `journalctl -u 'kubernetes-secret-*'` on a server";
            Finding::wrong(Cause::PasswordSecretMissing, what, look_at)
                .of_object(format!("CiliumBGPPeerConfig {name}"))
        })
    }

    fn established(
        &self,
        uptime: Option<&str>,
        taken: Option<u64>,
        advertised: Option<u64>,
        kubernetes: &Probed<KubernetesFacts>,
    ) -> Finding {
        let (node, router) = (&self.node.name, &self.router.name);
        match (taken, advertised) {
            (None | Some(0), Some(0)) => self.nothing_announced(kubernetes),
            (Some(0), count) => {
                // Cilium counts a route as advertised until the session is made again, also once it is withdrawn.
                if let Some(finding) = self.not_selected(kubernetes) {
                    return finding;
                }
                let announced = count.map_or_else(|| "routes".to_owned(), routes_of);
                Finding::wrong(
                    Cause::RoutesRefused,
                    format!("established, but {router} has accepted none of {node}'s {announced}"),
                    format!(
                        "the filter `rk1-{}-in` on {router}, then whether {node} sends anything: \
                         `cilium-dbg bgp routes advertised ipv4 unicast` in its agent",
                        self.cluster.name
                    ),
                )
            }
            (taken, _) => {
                let uptime = uptime.map(|uptime| format!(" for {uptime}")).unwrap_or_default();
                let taken = taken.map(|count| format!(", {}", routes_of(count))).unwrap_or_default();
                Finding::good(format!("established{uptime}{taken}"))
            }
        }
    }

    /// A peer configuration whose labels select no advertisement announces nothing.
    fn not_selected(&self, kubernetes: &Probed<KubernetesFacts>) -> Option<Finding> {
        let kubernetes = kubernetes.as_ref().ok()?;
        let name = self.peer_name(kubernetes)?;
        let config = kubernetes.bgp.peer_configs.as_ref().ok()?.found()?.get(name)?;
        let advertisements = kubernetes.bgp.advertisements.as_ref().ok()?.found()?;
        let is_selected = |wanted: &&Labels| {
            let has_all = |labels: &Labels| wanted.iter().all(|(key, value)| labels.get(key) == Some(value));
            advertisements.iter().any(has_all)
        };
        let labels = config.selectors.iter().find(|wanted| !wanted.is_empty() && !is_selected(wanted))?;
        let labels: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let labels = labels.join(",");
        Some(
            Finding::wrong(
                Cause::AdvertisementNotSelected,
                format!(
                    "established, but nothing is announced to {}: no CiliumBGPAdvertisement has the labels {labels}",
                    self.router.name
                ),
                "`kubectl get ciliumbgpadvertisement --show-labels`: manifests/30-bgp.yaml has the right ones",
            )
            .of_object(format!("CiliumBGPPeerConfig {name}")),
        )
    }

    fn nothing_announced(&self, kubernetes: &Probed<KubernetesFacts>) -> Finding {
        if let Some(finding) = self.not_selected(kubernetes) {
            return finding;
        }
        let what = format!("established, but {} announces nothing", self.node.name);
        if let Some(finding) = self.gateway.and_then(|gateway| follows_from(&[("gateway", gateway)], &what)) {
            return finding;
        }
        Finding::wrong(
            Cause::NotAnnounced,
            what,
            "`kubectl get service -A`: Cilium announces the addresses of services of the type LoadBalancer",
        )
    }

    fn down(&self, router_state: &str, node_state: &str) -> Finding {
        let (node, router) = (&self.node.name, &self.router.name);
        let (from, to) = (self.from, self.to);
        let file = routers::file_name(self.router);
        let password =
            if self.router.password.is_some() { ", and the password of both the same" } else { "" };
        Finding::wrong(
            Cause::NoSession,
            format!("down on both ends: {router} says {router_state}, {node} says {node_state}"),
            format!("whether routers/{file} is applied, tcp/179 from {from} to {to} allowed{password}"),
        )
    }

    fn only_router(&self, node_state: &str) -> Finding {
        let (node, router) = (&self.node.name, &self.router.name);
        let hold_time = self.cluster.bgp.as_ref().map_or(0, |bgp| bgp.hold_time);
        Finding::wrong(
            Cause::OneSided,
            format!("{router} says established, {node} says {node_state}"),
            format!(
                "{}; {router} gives the session up after {hold_time} s without a message",
                self.agent_log()
            ),
        )
    }

    fn no_peer(&self, kubernetes: &Probed<KubernetesFacts>) -> Finding {
        let (node, router) = (&self.node.name, &self.router.name);
        let configs = kubernetes.as_ref().ok().map(|facts| &facts.bgp.cluster_configs);
        let object = format!("CiliumBGPClusterConfig {}", self.cluster.name);
        let registered = kubernetes.as_ref().ok().and_then(|facts| facts.cilium_nodes.as_ref().ok()?.found());
        let is_configured = matches!(configs, Some(Ok(Lookup::Found(configs))) if !configs.is_empty());
        if is_configured && registered.is_some_and(|nodes| !nodes.contains_key(node.as_str())) {
            let what = format!("no session with {router}: {node} has no CiliumNode, which its agent makes");
            return Finding::follows(format!("{what}; see cilium"));
        }
        match configs {
            Some(Ok(Lookup::NoKind)) => {
                return Finding::follows("the cluster does not know Cilium's kinds for BGP");
            }
            Some(Ok(Lookup::Found(configs))) if configs.is_empty() => {
                return Finding::wrong(
                    Cause::NoPeer,
                    format!("no session with {router}: no CiliumBGPClusterConfig exists"),
                    "`kubectl -n kube-system get addons`: whether manifests/30-bgp.yaml is applied",
                );
            }
            Some(Ok(Lookup::Found(configs))) => {
                let conditions = configs.values().flat_map(|conditions| conditions.iter());
                let problem = conditions.filter(|(kind, condition)| {
                    condition.is_true && !kind.ends_with("Ready") && !kind.ends_with("Accepted")
                });
                if let Some((kind, condition)) = problem.into_iter().next() {
                    let kind = kind.trim_start_matches("cilium.io/");
                    let what = format!("no session with {router}: {kind}: {}", condition.message);
                    let look_at = "`kubectl describe ciliumbgpclusterconfig`, and `kubectl get ciliumnode`";
                    return Finding::wrong(Cause::NoPeer, what, look_at).of_object(object);
                }
            }
            _ => {}
        }
        Finding::wrong(
            Cause::NoPeer,
            format!("no session with {router}: it is not among the peers of {node}"),
            format!(
                "`kubectl get ciliumbgpclusterconfig,ciliumbgpnodeconfig -o yaml`: whether {} is a peer there, \
                 as in manifests/30-bgp.yaml",
                self.to
            ),
        )
        .of_object(object)
    }

    fn only_node(&self, router_state: &str) -> Finding {
        let (node, router) = (&self.node.name, &self.router.name);
        Finding::wrong(
            Cause::OneSided,
            format!("{node} says established, {router} says {router_state}"),
            format!("the log of {router}, and whether another device has its address {}", self.to),
        )
    }

    fn router_down(&self, router_state: &str, why: &str) -> Finding {
        Finding::wrong(
            Cause::NoSession,
            format!("{} says {router_state}; {why}", self.router.name),
            format!("{}: the node dials, the router listens", self.agent_log()),
        )
    }

    fn node_down(&self, what: &str) -> Finding {
        let file = routers::file_name(self.router);
        let look_at = format!("whether routers/{file} is applied; {}", self.agent_log());
        Finding::wrong(Cause::NoSession, what, look_at)
    }

    fn agent_log(&self) -> String {
        let pods = "`kubectl -n kube-system get pods -o wide -l k8s-app=cilium`";
        format!("{pods}, and the log of the one on {}", self.node.name)
    }
}

fn routes_of(count: u64) -> String {
    if count == 1 { "1 route".to_owned() } else { format!("{count} routes") }
}
