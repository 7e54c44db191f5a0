//! What the facts mean: pure functions from what was brought to findings.

mod cluster;
mod node;
mod router;
mod session;

use k8s_openapi::jiff::Timestamp;

use super::Scope;
use super::facts::Facts;
use super::observation::{Observation, RouterObservation, SessionObservation};
use crate::config::cluster::Cluster;

pub(super) fn judge(cluster: &Cluster, scope: &Scope, facts: &Facts, now: Timestamp) -> Observation {
    let nodes: Vec<_> = cluster.nodes.iter().filter(|node| scope.has(&node.name)).collect();
    let routers = cluster.bgp.routers.iter().zip(&facts.routers).map(|(router, answer)| {
        let answer = answer.as_ref();
        let sessions = nodes.iter().map(|node| SessionObservation {
            node: node.name.clone(),
            finding: session::judge(cluster, router, node, answer, &facts.kubernetes),
        });
        RouterObservation {
            name: router.name.clone(),
            answers: answer.map(|answer| router::answers(router, answer)),
            sessions: sessions.collect(),
            next_hops: answer
                .filter(|_| *scope == Scope::Cluster)
                .map(|answer| router::next_hops(cluster, router, answer)),
        }
    });
    let routers = routers.collect();
    let answers = nodes.iter().zip(&facts.nodes);
    let nodes = answers.map(|(node, answer)| node::judge(cluster, node, answer, &facts.kubernetes)).collect();
    Observation { nodes, routers, cluster: cluster::judge(cluster, scope, facts, now) }
}
