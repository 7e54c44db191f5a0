//! What the facts mean: pure functions from facts to findings.

mod certificate;
mod cluster;
mod gateway;
mod node;
mod pods;
mod router;
mod session;
mod session_end;
mod streamer;

use k8s_openapi::jiff::Timestamp;

use super::Scope;
use super::facts::Facts;
use super::observation::{Observation, RouterObservation, SessionObservation};
use crate::config::cluster::Cluster;

pub(super) fn judge(cluster: &Cluster, scope: &Scope, facts: &Facts, now: Timestamp) -> Observation {
    let asked: Vec<_> = cluster.nodes.iter().filter(|node| scope.has(&node.name)).collect();
    let nodes: Vec<_> = asked
        .iter()
        .zip(&facts.nodes)
        .map(|(node, probed)| node::judge(cluster, node, probed.as_ref(), &facts.kubernetes, now))
        .collect();
    let mut judged = cluster::judge(cluster, facts, &nodes, now);
    let gateway = judged.services.as_ref().map(|services| &services.gateway);
    let routers = cluster.routers().iter().zip(&facts.routers).map(|(router, probed)| {
        let probed = probed.as_ref();
        let sessions = asked.iter().zip(&nodes).map(|(node, found)| SessionObservation {
            node: node.name.clone(),
            finding: session::judge(cluster, router, node, found, gateway, probed, &facts.kubernetes),
        });
        let mut sessions: Vec<_> = sessions.collect();
        RouterObservation {
            name: router.name.clone(),
            answers: probed.map(|probed| router::answers(router, probed, &mut sessions)),
            next_hops: probed
                .filter(|_| *scope == Scope::Cluster)
                .map(|probed| router::next_hops(cluster, router, probed, &sessions, gateway)),
            sessions,
        }
    });
    let routers: Vec<_> = routers.collect();
    if let Some(hubble) = judged.services.as_mut().and_then(|services| services.hubble.as_mut()) {
        gateway::follow_routers(cluster, hubble, &routers, &facts.routers);
    }
    Observation { nodes, routers, cluster: judged }
}
