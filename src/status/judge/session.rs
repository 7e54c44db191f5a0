//! A session, judged from both of its ends.

use std::net::IpAddr;

use crate::cluster::{Cluster, Node, Router};
use crate::render::routers;
use crate::status::facts::{Answer, KubernetesFacts, RouterFacts, RouterSession};
use crate::status::observation::Finding;

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
    /// With the reason where no other finding says it.
    Unheard(Option<String>),
}

pub(super) fn judge(
    cluster: &Cluster,
    router: &Router,
    node: &Node,
    answer: Option<&Answer<RouterFacts>>,
    kubernetes: &Answer<KubernetesFacts>,
) -> Finding {
    let ends = Ends { cluster, router, node };
    match (router_end(node, answer), node_end(router, node, kubernetes)) {
        (RouterEnd::Established { uptime, routes }, NodeEnd::Established { advertised }) => {
            ends.established(uptime, routes, advertised)
        }
        (RouterEnd::Off, NodeEnd::Established { .. }) => {
            Finding::good(format!("established, as {} sees it", node.name))
        }
        (RouterEnd::Down(router), NodeEnd::Down(node)) => ends.down(router, node),
        (RouterEnd::Established { .. }, NodeEnd::Down(state)) => ends.only_router(state),
        (RouterEnd::Down(state), NodeEnd::Established { .. }) => ends.only_node(state),
        (RouterEnd::Down(state), NodeEnd::Unheard(_)) => ends.router_down(state),
        (RouterEnd::Unheard | RouterEnd::Off, NodeEnd::Down(state)) => ends.node_down(state),
        (_, NodeEnd::Unheard(Some(reason))) => Finding::unknown(
            format!("Cilium's side is not known: {reason}"),
            "`kubectl get ciliumbgpnodeconfig`",
        ),
        (RouterEnd::Unheard, NodeEnd::Established { .. }) => {
            Finding::unknown_too(format!("{} has it established; {} was not heard", node.name, router.name))
        }
        (RouterEnd::Established { .. }, NodeEnd::Unheard(None)) => {
            Finding::unknown_too(format!("{} has it established; {} was not heard", router.name, node.name))
        }
        (RouterEnd::Unheard | RouterEnd::Off, NodeEnd::Unheard(None)) => {
            Finding::unknown_too("neither side was heard")
        }
    }
}

fn router_end<'a>(node: &Node, answer: Option<&'a Answer<RouterFacts>>) -> RouterEnd<'a> {
    let facts = match answer {
        None => return RouterEnd::Off,
        Some(Err(_)) => return RouterEnd::Unheard,
        Some(Ok(facts)) => facts,
    };
    match facts.sessions.get(&IpAddr::from(node.address.value.addr())) {
        Some(RouterSession::Established { uptime, routes }) => {
            RouterEnd::Established { uptime: uptime.as_deref(), routes: *routes }
        }
        Some(RouterSession::Down { state }) => RouterEnd::Down(state),
        None => RouterEnd::Down("no session"),
    }
}

fn node_end<'a>(router: &Router, node: &Node, kubernetes: &'a Answer<KubernetesFacts>) -> NodeEnd<'a> {
    let Ok(kubernetes) = kubernetes else { return NodeEnd::Unheard(None) };
    let ready = kubernetes.nodes.get(node.name.as_str()).and_then(|node| node.ready.as_ref());
    if !ready.is_some_and(|ready| ready.is_true) {
        // What Cilium wrote last may be long past.
        return NodeEnd::Unheard(None);
    }
    let peers = match &kubernetes.peers {
        Ok(peers) => peers,
        Err(failure) => return NodeEnd::Unheard(Some(failure.to_string())),
    };
    let peer = peers.get(node.name.as_str()).and_then(|peers| peers.get(&IpAddr::from(router.address)));
    match peer {
        Some(peer) if peer.state == "established" => NodeEnd::Established { advertised: peer.advertised },
        Some(peer) => NodeEnd::Down(&peer.state),
        None => NodeEnd::Down("no peer"),
    }
}

/// Both ends of a session, as those who read of it know them.
struct Ends<'a> {
    cluster: &'a Cluster,
    router: &'a Router,
    node: &'a Node,
}

impl Ends<'_> {
    fn established(&self, uptime: Option<&str>, routes: Option<u64>, advertised: Option<u64>) -> Finding {
        let (node, router) = (&self.node.name, &self.router.name);
        match (routes, advertised) {
            (Some(0), Some(0) | None) => Finding::wrong(
                format!("established, but {node} announces nothing"),
                format!("{node}: the labels of CiliumBGPAdvertisement and CiliumBGPPeerConfig `{router}`"),
            ),
            (Some(0), Some(count)) => Finding::wrong(
                format!("established, but {router} takes none of {node}'s {}", routes_of(count)),
                format!("{router}: the filter `rk1-{}-in`, and what it logs", self.cluster.name),
            ),
            (routes, _) => {
                let uptime = uptime.map(|uptime| format!(" {uptime}")).unwrap_or_default();
                let routes = routes.map(|count| format!(", {}", routes_of(count))).unwrap_or_default();
                Finding::good(format!("established{uptime}{routes}"))
            }
        }
    }

    fn down(&self, router_state: &str, node_state: &str) -> Finding {
        let (node, router) = (&self.node.name, &self.router.name);
        let (from, to) = (self.node.address.value.addr(), self.router.address);
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
            format!(
                "{node}: it has lost what {router} keeps until {hold_time} s of silence are over: {}",
                self.agent_log()
            ),
        )
    }

    fn only_node(&self, router_state: &str) -> Finding {
        let (node, router) = (&self.node.name, &self.router.name);
        Finding::wrong(
            format!("{node} has it established, {router} says {router_state}"),
            format!(
                "{router}: its log, and whether it is {router} that answers {node} at {}",
                self.router.address
            ),
        )
    }

    fn router_down(&self, router_state: &str) -> Finding {
        let (node, router) = (&self.node.name, &self.router.name);
        Finding::wrong(
            format!("{router} says {router_state}; {node} was not heard"),
            format!("{node}, which dials: {}", self.agent_log()),
        )
    }

    fn node_down(&self, node_state: &str) -> Finding {
        let (node, router) = (&self.node.name, &self.router.name);
        let file = routers::file_name(self.router);
        Finding::wrong(
            format!("{node} says {node_state}; {router} was not heard"),
            format!("whether routers/{file} is applied; {}", self.agent_log()),
        )
    }

    fn agent_log(&self) -> String {
        let select = format!("-l k8s-app=cilium --field-selector spec.nodeName={}", self.node.name);
        format!("`kubectl -n kube-system get pods {select}`, and the log of what it shows")
    }
}

fn routes_of(count: u64) -> String {
    if count == 1 { "1 route".to_owned() } else { format!("{count} routes") }
}
