//! Sessions of which router and node do not say the same.

use serde_json::{Value, json};

use crate::cluster::{PEER_LIST, SESSIONS, TestCluster, screen_of};

/// The session of a node as Cilium sees it.
fn peer(cluster: &mut TestCluster, number: usize) -> &mut Value {
    &mut cluster.page(PEER_LIST)["items"][number]["status"]["bgpInstances"][0]["peers"][0]
}

/// In turn: only the router has it, only the node has it, nobody has it, and the node knows of no such peer.
#[test]
fn the_sides_disagree() {
    screen_of("disagreement", |cluster| {
        peer(cluster, 0)["peeringState"] = json!("active");
        cluster.page(SESSIONS)[1]["established"] = json!("false");
        cluster.page(SESSIONS)[2]["established"] = json!("false");
        peer(cluster, 2)["peeringState"] = json!("opensent");
        peer(cluster, 3)["peerAddress"] = json!("172.16.10.2");
    });
}

/// Established, and yet of no use: the router takes nothing, or the node announces nothing.
#[test]
fn the_router_has_no_route() {
    screen_of("no-route", |cluster| {
        cluster.page(SESSIONS)[0]["prefix-count"] = json!("0");
        peer(cluster, 0)["routeCount"][0]["advertised"] = json!(2);
        cluster.page(SESSIONS)[1]["prefix-count"] = json!("0");
        peer(cluster, 1)["routeCount"][0]["advertised"] = json!(0);
    });
}

/// Nobody need ask the router to see that nothing is announced.
#[test]
fn nothing_is_announced() {
    screen_of("nothing-announced", |cluster| {
        cluster.edit("user = \"rk1\"\n", "user = \"rk1\"\nenable = false\n");
        peer(cluster, 3)["routeCount"][0]["advertised"] = json!(0);
    });
}

#[test]
fn the_router_cannot_be_asked_and_a_node_has_no_session() {
    screen_of("node-alone", |cluster| {
        cluster.router.service = None;
        peer(cluster, 0)["peeringState"] = json!("connect");
    });
}
