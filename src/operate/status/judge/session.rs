//! A session, judged from both of its ends.

use std::net::IpAddr;

use crate::config::cluster::{Cluster, Node, Router};
use crate::operate::status::facts::{Answer, KubernetesFacts, RouterFacts, RouterSession};
use crate::operate::status::observation::Finding;
use crate::render::routers;

/// What the router has.
enum RouterEnd<'a> {
    Established {
        uptime: Option<&'a str>,
        routes: Option<u64>,
    },
    Down(&'a str),
    Unheard,
    /// It is not to be asked.
    Off,
}

/// What Cilium has on the node.
enum NodeEnd<'a> {
    Established {
        advertised: Option<u64>,
    },
    Down(&'a str),
    /// The router is none of its peers.
    NoPeer,
    Unheard {
        why: String,
        is_said: bool,
    },
}

/// A session over IPv4, and where the cluster has both address families the one over IPv6 beside it.
pub(super) fn judge(
    cluster: &Cluster,
    router: &Router,
    node: &Node,
    answer: Option<&Answer<RouterFacts>>,
    kubernetes: &Answer<KubernetesFacts>,
) -> Finding {
    let judge =
        |from: IpAddr, to: IpAddr| judge_one(&Ends { cluster, router, node, from, to }, answer, kubernetes);
    let node_address = node.address.addresses();
    let finding = judge(node_address.v4().into(), router.address.v4().into());
    match node_address.v6().zip(router.address.v6()) {
        Some((from, to)) => finding.beside_ipv6(judge(from.into(), to.into())),
        None => finding,
    }
}

fn judge_one(
    ends: &Ends<'_>,
    answer: Option<&Answer<RouterFacts>>,
    kubernetes: &Answer<KubernetesFacts>,
) -> Finding {
    let Ends { router, node, .. } = ends;
    match (router_end(ends.from, answer), node_end(node, ends.to, kubernetes)) {
        (RouterEnd::Established { uptime, routes }, NodeEnd::Established { advertised }) => {
            ends.established(uptime, routes, advertised)
        }
        (RouterEnd::Off | RouterEnd::Unheard, NodeEnd::Established { advertised: Some(0) }) => {
            ends.nothing_announced()
        }
        (RouterEnd::Off, NodeEnd::Established { .. }) => {
            Finding::good(format!("established, as {} sees it", node.name))
        }
        (RouterEnd::Unheard, NodeEnd::Established { .. }) => {
            Finding::unknown_too(format!("{} has it established; {} was not heard", node.name, router.name))
        }
        (RouterEnd::Down(state), NodeEnd::Established { .. }) => ends.only_node(state),
        (_, NodeEnd::NoPeer) => ends.no_peer(),
        (RouterEnd::Established { .. }, NodeEnd::Down(state)) => ends.only_router(state),
        (RouterEnd::Down(router), NodeEnd::Down(node)) => ends.down(router, node),
        (RouterEnd::Unheard, NodeEnd::Down(state)) => {
            ends.node_down(&format!("{} says {state}; {} was not heard", node.name, router.name))
        }
        (RouterEnd::Off, NodeEnd::Down(state)) => ends.node_down(&format!("{} says {state}", node.name)),
        (RouterEnd::Down(state), NodeEnd::Unheard { why, .. }) => ends.router_down(state, &why),
        (router_end, NodeEnd::Unheard { why, is_said }) => {
            let front = match router_end {
                RouterEnd::Established { .. } => format!("{} has it established; ", router.name),
                RouterEnd::Down(_) | RouterEnd::Unheard | RouterEnd::Off => String::new(),
            };
            let why = format!("{front}{why}");
            if is_said {
                Finding::unknown_too(why)
            } else {
                Finding::unknown(why, "`kubectl get ciliumbgpnodeconfig`")
            }
        }
    }
}

fn router_end(node: IpAddr, answer: Option<&Answer<RouterFacts>>) -> RouterEnd<'_> {
    let facts = match answer {
        None => return RouterEnd::Off,
        Some(Err(_)) => return RouterEnd::Unheard,
        Some(Ok(facts)) => facts,
    };
    match facts.sessions.get(&node) {
        Some(RouterSession::Established { uptime, routes }) => {
            RouterEnd::Established { uptime: uptime.as_deref(), routes: *routes }
        }
        Some(RouterSession::Down { state }) => RouterEnd::Down(state),
        None => RouterEnd::Down("no session"),
    }
}

fn node_end<'a>(node: &Node, router: IpAddr, kubernetes: &'a Answer<KubernetesFacts>) -> NodeEnd<'a> {
    let unheard = |why: String, is_said| NodeEnd::Unheard { why, is_said };
    let Ok(kubernetes) = kubernetes else { return unheard("Kubernetes was not heard".to_owned(), true) };
    let ready = kubernetes.nodes.get(node.name.as_str()).and_then(|node| node.ready.as_ref());
    if !ready.is_some_and(|ready| ready.is_true) {
        // What Cilium wrote last may be long past.
        return unheard(format!("{} is not ready", node.name), true);
    }
    let peers = match &kubernetes.peers {
        Ok(peers) => peers,
        Err(failure) => return unheard(format!("what Cilium sees is not known: {failure}"), false),
    };
    let peer = peers.get(node.name.as_str()).and_then(|peers| peers.get(&router));
    match peer {
        Some(peer) if peer.state == "established" => NodeEnd::Established { advertised: peer.advertised },
        Some(peer) => NodeEnd::Down(&peer.state),
        None => NodeEnd::NoPeer,
    }
}

/// Both ends of a session, as those who read of it know them.
struct Ends<'a> {
    cluster: &'a Cluster,
    router: &'a Router,
    node: &'a Node,
    /// The address from which the node dials.
    from: IpAddr,
    /// The router's.
    to: IpAddr,
}

impl Ends<'_> {
    fn established(&self, uptime: Option<&str>, taken: Option<u64>, advertised: Option<u64>) -> Finding {
        let (node, router) = (&self.node.name, &self.router.name);
        match (taken, advertised) {
            (None | Some(0), Some(0)) => self.nothing_announced(),
            (Some(0), count) => {
                let announced = count.map_or_else(|| "routes".to_owned(), routes_of);
                Finding::wrong(
                    format!("established, but {router} takes none of {node}'s {announced}"),
                    format!("{router}: the filter `rk1-{}-in`, and what it logs", self.cluster.name),
                )
            }
            (taken, _) => {
                let uptime = uptime.map(|uptime| format!(" for {uptime}")).unwrap_or_default();
                let taken = taken.map(|count| format!(", {}", routes_of(count))).unwrap_or_default();
                Finding::good(format!("established{uptime}{taken}"))
            }
        }
    }

    fn nothing_announced(&self) -> Finding {
        let (node, router) = (&self.node.name, &self.router.name);
        Finding::wrong(
            format!("established, but {node} announces nothing"),
            format!(
                "the gateway, whose address is announced, and the labels of CiliumBGPAdvertisement and \
                 CiliumBGPPeerConfig `{router}`"
            ),
        )
    }

    fn down(&self, router_state: &str, node_state: &str) -> Finding {
        let (node, router) = (&self.node.name, &self.router.name);
        let (from, to) = (self.from, self.to);
        let file = routers::file_name(self.router);
        Finding::wrong(
            format!("down on both sides: {router} says {router_state}, {node} says {node_state}"),
            format!(
                "whether routers/{file} is applied, tcp/179 from {from} to {to} let in, and the password of both the same"
            ),
        )
    }

    fn only_router(&self, node_state: &str) -> Finding {
        let (node, router) = (&self.node.name, &self.router.name);
        let hold_time = self.cluster.bgp.hold_time;
        Finding::wrong(
            format!("{router} has it established, {node} says {node_state}"),
            format!("{node}: {router} lets go of it after {hold_time} s of silence; {}", self.agent_log()),
        )
    }

    fn no_peer(&self) -> Finding {
        let (node, router, address) = (&self.node.name, &self.router.name, self.to);
        Finding::wrong(
            format!("{node} does not know {router}"),
            format!(
                "`kubectl get ciliumbgpclusterconfig,ciliumbgpnodeconfig -o yaml`: whether {address} is a peer there, \
                 as manifests/30-bgp.yaml has it"
            ),
        )
    }

    fn only_node(&self, router_state: &str) -> Finding {
        let (node, router) = (&self.node.name, &self.router.name);
        Finding::wrong(
            format!("{node} has it established, {router} says {router_state}"),
            format!("{router}: its log, and whether it is {router} that answers {node} at {}", self.to),
        )
    }

    fn router_down(&self, router_state: &str, why: &str) -> Finding {
        Finding::wrong(
            format!("{} says {router_state}; {why}", self.router.name),
            format!("{}, which dials; {}", self.node.name, self.agent_log()),
        )
    }

    fn node_down(&self, what: &str) -> Finding {
        let file = routers::file_name(self.router);
        Finding::wrong(what, format!("whether routers/{file} is applied; {}", self.agent_log()))
    }

    fn agent_log(&self) -> String {
        let pods = "`kubectl -n kube-system get pods -o wide -l k8s-app=cilium`";
        format!("{pods}, and the log of the one on {}", self.node.name)
    }
}

fn routes_of(count: u64) -> String {
    if count == 1 { "1 route".to_owned() } else { format!("{count} routes") }
}
