//! The values of Cilium's chart: those that rk1 sets, with the user's merged over them.

use serde_json::{Value, json};

use super::chart::VALUES_INDENT;
use super::values::{self, Fixed, fixed, lay_over};
use crate::config::cluster::{Cluster, IPV4, IPV6};
use crate::render::schema::ResourceProblem;
use crate::render::yaml::{self, Comment};

/// The most replicas of the operator: one works, and one waits to take over.
const OPERATORS: usize = 2;

/// Requests a second that an agent may send to the API server. Each address that is announced in the nodes' network is a
/// lease, which its node renews every five seconds (the chart's `l2announcements.leaseRenewDeadline`). The default of ten a
/// second would be used up by 50 of them.
const L2_REQUESTS: u16 = 50;

const COMMENTS: &[Comment<'static>] = &[
    (
        &["encryption"],
        "The pods' traffic between nodes. Each node makes a key of its own; agents learn the others' from the API server.",
    ),
    (
        &["encryption", "strictMode"],
        "Traffic of pods that is not encrypted is dropped, whoever sent it: on the way out, and on the way in.",
    ),
    (
        &["encryption", "strictMode", "egress", "allowRemoteNodeIdentities"],
        "Tunnels need it: pods reach the nodes' own addresses without encryption.",
    ),
    (
        &["gatewayAPI", "gatewayClass", "create"],
        "With `auto` and without the Gateway API's definitions, the chart would silently leave the class out.",
    ),
    (
        &["hubble", "tls", "auto", "method"],
        "A job renews the certificates every four months. Those that Helm makes expire after a year.",
    ),
    (
        &["ipam", "operator", "clusterPoolIPv4PodCIDRList"],
        "Without it, pods would get addresses of 10.0.0.0/8.",
    ),
    (
        &["ipam", "operator", "clusterPoolIPv6MaskSize"],
        "kube-controller-manager assigns a /64 to each node as well. Cilium allows a range of at most 65,536 of them.",
    ),
    (
        &["k8sServiceHost"],
        "k3s's load balancer on each node, which knows every server: the loss of one server does no harm.",
    ),
    (
        &["k8sClientRateLimit"],
        "Each address that is announced in the nodes' network is a lease, which its node renews every five seconds.",
    ),
    (
        &["loadBalancer", "acceleration"],
        "In any other mode, Cilium's XDP program redirects packets before the packet streamer sees them.",
    ),
    (&["operator", "replicas"], "Two if there are two nodes: two operators never run on the same one."),
    (&["operator", "rollOutPods"], "Without it, a changed value has no effect until the next restart."),
    (&["rollOutCiliumPods"], "The same for the agents."),
];

/// Returns the values as YAML, with the reason for each that needs one.
pub(super) fn values(cluster: &Cluster) -> String {
    yaml::block(&merged(cluster), COMMENTS, VALUES_INDENT)
}

/// Returns the values that rk1 sets, with the user's merged over them.
pub(super) fn merged(cluster: &Cluster) -> Value {
    let mut values = own(cluster);
    if let Some(written) = &cluster.cilium.values {
        lay_over(&mut values, written);
    }
    values
}

/// The reason for which the values of encryption are fixed.
const ENCRYPTED: &str =
    "`[security]` encrypts with WireGuard. `encryption = false` there leaves these values to you";

/// The first minor release of Cilium 1 that drops unencrypted traffic on the way in, and has a switch for each direction.
const STRICT_INGRESS: u16 = 19;

const FIXED: [Fixed; 15] = [
    fixed("bgpControlPlane.enabled", "[bgp]", "without BGP no router learns the cluster's addresses"),
    fixed("encryption.enabled", "[security]", ENCRYPTED),
    fixed("encryption.type", "[security]", ENCRYPTED),
    fixed("encryption.strictMode.egress.enabled", "[security]", ENCRYPTED),
    fixed("encryption.strictMode.ingress.enabled", "[security]", ENCRYPTED),
    fixed("gatewayAPI.enabled", "[gateway]", "without the Gateway API nothing serves the shared gateway"),
    fixed(
        "gatewayAPI.gatewayClass.create",
        "[gateway]",
        "without its class nothing serves the shared gateway",
    ),
    fixed("hubble.ui.enabled", "[hubble]", "the route to Hubble's page leads to its service"),
    fixed("ipam.mode", "[network]", "pods get their addresses from the ranges in `[network]`"),
    fixed("ipam.operator.clusterPoolIPv4MaskSize", "[network]", "each node gets a /24 of `pods`"),
    fixed("ipam.operator.clusterPoolIPv4PodCIDRList", "[network]", "k3s and the checks of ranges use `pods`"),
    fixed("ipam.operator.clusterPoolIPv6MaskSize", "[network]", "each node gets a /64 of `pods-ipv6`"),
    fixed(
        "ipam.operator.clusterPoolIPv6PodCIDRList",
        "[network]",
        "k3s and the checks of ranges use `pods-ipv6`",
    ),
    fixed("l2announcements.enabled", "[[pool]]", "without it nobody answers for the addresses of a pool"),
    fixed("ipv6.enabled", "[network]", "the cluster has IPv6 if `pods-ipv6` is written"),
];

/// Returns the user's values that override one on which other rendered files depend.
pub(super) fn overridden(cluster: &Cluster) -> Vec<ResourceProblem> {
    values::overridden(&FIXED, &own(cluster), &merged(cluster))
}

/// Returns the values that rk1 sets.
fn own(cluster: &Cluster) -> Value {
    let mut values = rendered(cluster);
    if cluster.announces_l2() {
        values["k8sClientRateLimit"] = json!({ "burst": 2 * L2_REQUESTS, "qps": L2_REQUESTS });
        values["l2announcements"] = json!({ "enabled": true });
    }
    if cluster.security.encryption {
        values["encryption"] = encryption(cluster);
    }
    if let Some(pods) = cluster.network.pods.v6() {
        values["ipv6"] = json!({ "enabled": true });
        let operator = &mut values["ipam"]["operator"];
        operator["clusterPoolIPv6MaskSize"] = json!(IPV6.node_pods);
        operator["clusterPoolIPv6PodCIDRList"] = json!([pods.to_string()]);
    }
    values
}

/// Returns the values by which agents encrypt the tunnels between nodes, and accept no others. On the way out, only IPv4 is
/// strict: there is no such switch for IPv6.
fn encryption(cluster: &Cluster) -> Value {
    let egress = json!({
        "allowRemoteNodeIdentities": true,
        "cidr": cluster.network.pods.v4().to_string(),
        "enabled": true,
    });
    let strict = if cluster.versions.cilium.minor < STRICT_INGRESS {
        egress
    } else {
        json!({ "egress": egress, "ingress": { "enabled": true } })
    };
    json!({ "enabled": true, "strictMode": strict, "type": "wireguard" })
}

fn rendered(cluster: &Cluster) -> Value {
    json!({
        "bgpControlPlane": { "enabled": cluster.bgp.is_some() },
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
