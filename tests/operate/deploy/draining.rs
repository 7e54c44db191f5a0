//! Pods that go elsewhere meanwhile.

use serde_json::{Value, json};

use crate::cluster::TestCluster;

fn pod(cluster: &TestCluster, name: &str, owner: Option<&str>, volumes: &Value) {
    let owners = owner.map(
        |kind| json!({ "apiVersion": "apps/v1", "kind": kind, "name": "x", "uid": "1", "controller": true }),
    );
    let pod = json!({
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": { "name": name, "namespace": "web", "ownerReferences": owners.into_iter().collect::<Vec<_>>() },
        "spec": { "nodeName": "rk1-04", "containers": [], "volumes": volumes },
        "status": { "phase": "Running" },
    });
    cluster.kubernetes.with(|state| state.pods.insert(format!("web/{name}"), pod));
}

#[test]
fn pods_are_evicted_within_their_budgets() {
    let cluster = TestCluster::well();
    pod(&cluster, "page", Some("ReplicaSet"), &json!([]));
    pod(&cluster, "cache", Some("StatefulSet"), &json!([{ "name": "scratch", "emptyDir": {} }]));
    pod(&cluster, "agent", Some("DaemonSet"), &json!([{ "name": "scratch", "emptyDir": {} }]));
    cluster.kubernetes.with(|state| state.refusals.insert("web/page".to_owned(), 2));
    cluster.deploy("drained", &["rk1-04", "--drain", "--delete-emptydir-data"]);
    assert_eq!(
        cluster.kubernetes.told(),
        ["cordon rk1-04", "evict web/cache", "evict web/page", "uncordon rk1-04"]
    );
    cluster.kubernetes.with(|state| assert_eq!(state.pods.keys().collect::<Vec<_>>(), ["web/agent"]));
    assert_eq!(cluster.switched(), (vec!["rk1-04"], vec![]));
}

#[test]
fn a_pod_that_would_lose_data_prevents_the_drain() {
    let cluster = TestCluster::well();
    pod(&cluster, "alone", None, &json!([]));
    pod(&cluster, "cache", Some("StatefulSet"), &json!([{ "name": "scratch", "emptyDir": {} }]));
    cluster.deploy("would-lose", &["rk1-04", "--drain"]);
    assert_eq!(cluster.kubernetes.told(), ["cordon rk1-04", "uncordon rk1-04"]);
    assert_eq!(cluster.switched(), (vec![], vec![]));
}

#[test]
fn a_budget_without_room_prevents_the_switch() {
    let cluster = TestCluster::well();
    pod(&cluster, "page", Some("ReplicaSet"), &json!([]));
    cluster.kubernetes.with(|state| state.refusals.insert("web/page".to_owned(), usize::MAX));
    cluster.deploy("budget", &["rk1-04", "--drain", "--drain-limit", "2"]);
    assert_eq!(cluster.kubernetes.told(), ["cordon rk1-04", "uncordon rk1-04"]);
    assert_eq!(cluster.switched(), (vec![], vec![]));
}

#[test]
fn a_node_that_was_cordoned_before_stays_so() {
    let cluster = TestCluster::well();
    cluster.kubernetes.with(|state| state.cordoned.push("rk1-04".to_owned()));
    assert!(cluster.command(&["rk1-04", "--drain"]).output().unwrap().status.success());
    assert_eq!(cluster.kubernetes.told(), Vec::<String>::new());
}
