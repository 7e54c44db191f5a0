//! Values of Cilium's chart: what the cluster makes of them, with the user's laid over.

use serde_json::{Map, Value, json};

use super::chart::VALUES_INDENT;
use crate::config::cluster::{Cluster, IPV4, IPV6};
use crate::config::source::Spanned;
use crate::config::written::FreeValue;
use crate::render::yaml::{self, Comment};

/// More than two replicas of the operator only wait for each other.
const OPERATORS: usize = 2;

const COMMENTS: &[Comment<'static>] = &[
    (
        &["gatewayAPI", "gatewayClass", "create"],
        "Not `auto`: without the Gateway API's definitions that would leave the class out and say nothing.",
    ),
    (
        &["hubble", "tls", "auto", "method"],
        "A job makes the certificates anew every four months. Those that Helm makes end after a year.",
    ),
    (
        &["ipam", "operator", "clusterPoolIPv4PodCIDRList"],
        "Left out, pods would get addresses of 10.0.0.0/8.",
    ),
    (
        &["ipam", "operator", "clusterPoolIPv6MaskSize"],
        "kube-controller-manager hands out /64s too. Cilium takes no range that is more than 16 bits larger.",
    ),
    (
        &["k8sServiceHost"],
        "k3s's own balancer on each node: it knows every server, so the loss of one is not noticed.",
    ),
    (
        &["loadBalancer", "acceleration"],
        "Anything else takes the network interface's XDP hook, which belongs to the packet streamer.",
    ),
    (&["operator", "replicas"], "Two where there are two nodes: they share no node."),
    (&["operator", "rollOutPods"], "Without it a changed value has no effect before the next restart."),
    (&["rollOutCiliumPods"], "Likewise. The routers keep a node's routes while its agent restarts."),
];

/// The values as YAML, with the reason for each that needs one.
pub(super) fn values(cluster: &Cluster) -> String {
    let mut values = rendered(cluster);
    if let Some(pods) = cluster.network.pods.v6() {
        values["ipv6"] = json!({ "enabled": true });
        let operator = &mut values["ipam"]["operator"];
        operator["clusterPoolIPv6MaskSize"] = json!(IPV6.node_pods);
        operator["clusterPoolIPv6PodCIDRList"] = json!([pods.to_string()]);
    }
    if let Some(own) = &cluster.cilium.values {
        lay_over(&mut values, own);
    }
    yaml::block(&values, COMMENTS, VALUES_INDENT)
}

fn rendered(cluster: &Cluster) -> Value {
    json!({
        "bgpControlPlane": { "enabled": true },
        "cluster": { "name": cluster.name },
        "gatewayAPI": {
            "enabled": true,
            // A string: up to 1.19 the chart's schema takes nothing else.
            "gatewayClass": { "create": "true" },
        },
        "hubble": {
            "relay": { "enabled": true },
            "tls": { "auto": { "method": "cronJob" } },
            "ui": { "enabled": cluster.hubble.is_some() },
        },
        "ipam": {
            "mode": "cluster-pool",
            "operator": {
                "clusterPoolIPv4MaskSize": IPV4.node_pods,
                "clusterPoolIPv4PodCIDRList": [cluster.network.pods.v4().to_string()],
            },
        },
        "k8sServiceHost": "127.0.0.1",
        "k8sServicePort": 6444,
        "kubeProxyReplacement": true,
        "loadBalancer": { "acceleration": cluster.cilium.acceleration.word() },
        "operator": { "replicas": cluster.nodes.len().min(OPERATORS), "rollOutPods": true },
        "rollOutCiliumPods": true,
    })
}

/// As Helm merges values: maps key by key, everything else as a whole.
fn lay_over(values: &mut Value, own: &Spanned<FreeValue>) {
    match (values, &own.value) {
        (Value::Object(below), FreeValue::Table(entries)) => {
            for (key, value) in entries {
                lay_over(below.entry(key.value.clone()).or_insert(Value::Null), value);
            }
        }
        (place, _) => *place = json(own),
    }
}

fn json(value: &Spanned<FreeValue>) -> Value {
    match &value.value {
        FreeValue::Boolean(on) => json!(on),
        FreeValue::Float(number) => json!(number),
        FreeValue::Integer(number) => json!(number),
        FreeValue::List(items) => items.iter().map(json).collect(),
        FreeValue::String(text) => json!(text),
        FreeValue::Table(entries) => {
            let entries = entries.iter().map(|(key, value)| (key.value.clone(), json(value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
    }
}
