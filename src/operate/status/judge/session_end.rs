//! What the router and the node each say about their session.

use std::net::IpAddr;

use crate::config::cluster::Node;
use crate::operate::routing_daemon::Session;
use crate::operate::status::facts::{KubernetesFacts, Lookup, Probed, RouterFacts};
use crate::operate::status::observation::NodeObservation;

/// The session at the router.
pub(super) enum RouterEnd<'a> {
    Established {
        uptime: Option<&'a str>,
        routes: Option<u64>,
    },
    Down(&'a str),
    /// It did not answer.
    Unknown,
    /// It is not to be asked.
    Off,
}

/// The session at Cilium's agent on the node.
pub(super) enum NodeEnd<'a> {
    Established {
        advertised: Option<u64>,
    },
    Down(&'a str),
    /// The router is not among its peers.
    NoPeer,
    /// `follows` says whether another finding says the same.
    Unknown {
        why: String,
        follows: bool,
    },
}

pub(super) fn router_end(node: IpAddr, probed: Option<&Probed<RouterFacts>>) -> RouterEnd<'_> {
    let facts = match probed {
        None => return RouterEnd::Off,
        Some(Err(_)) => return RouterEnd::Unknown,
        Some(Ok(facts)) => facts,
    };
    match facts.sessions.get(&node) {
        Some(Session::Established { uptime, routes }) => {
            RouterEnd::Established { uptime: uptime.as_deref(), routes: *routes }
        }
        Some(Session::Down { state }) => RouterEnd::Down(state),
        None => RouterEnd::Down("no session"),
    }
}

pub(super) fn node_end<'a>(
    node: &Node,
    router: IpAddr,
    found: &NodeObservation,
    kubernetes: &'a Probed<KubernetesFacts>,
) -> NodeEnd<'a> {
    let unknown = |why: String, follows| NodeEnd::Unknown { why, follows };
    let Ok(kubernetes) = kubernetes else { return unknown("Kubernetes did not answer".to_owned(), true) };
    let ready = kubernetes.nodes.get(node.name.as_str()).and_then(|object| object.conditions.get("Ready"));
    // What an agent wrote last may be old once it or its node is gone.
    if !ready.is_some_and(|ready| ready.is_true) {
        return unknown(format!("{} is not ready", node.name), true);
    }
    if found.cilium.is_wrong() {
        return unknown(format!("Cilium's agent on {} is not ready", node.name), true);
    }
    match &kubernetes.bgp.peers {
        Ok(Lookup::Found(peers)) => {
            match peers.get(node.name.as_str()).and_then(|peers| peers.get(&router)) {
                Some(peer) if peer.state == "established" => {
                    NodeEnd::Established { advertised: peer.advertised }
                }
                Some(peer) => NodeEnd::Down(&peer.state),
                None => NodeEnd::NoPeer,
            }
        }
        Ok(Lookup::NoObject | Lookup::NoKind) => NodeEnd::NoPeer,
        Err(error) => unknown(format!("the state of {} in Cilium is not known: {error}", node.name), false),
    }
}
