//! Ports that the user's values of Cilium's chart need on the nodes' firewall, besides those that are always open
//! (`modules/firewall.nix`): some for the cluster's own nodes and pods, some for everyone.

use std::collections::BTreeSet;

use serde_json::Value;

use super::cilium;
use crate::config::cluster::Cluster;

/// Ports to open on every node.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// For everyone: metrics, which a server outside of the cluster may collect.
    pub tcp: BTreeSet<u16>,
    /// For nodes and pods.
    pub node_tcp: BTreeSet<u16>,
    /// For nodes and pods.
    pub node_udp: BTreeSet<u16>,
}

/// Who connects to a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peers {
    /// Nodes and pods, by TCP.
    Tcp,
    /// Nodes, by UDP.
    Udp,
    /// Whoever collects metrics, by TCP.
    Metrics,
}

/// A port that a value opens. Sources: Cilium's documentation, "Firewall Rules", and `values.yaml` of its chart.
struct Row {
    peers: Peers,
    /// Where the values set the port.
    port: &'static str,
    default: u16,
    is_needed: fn(&Value) -> bool,
}

const ROWS: [Row; 9] = [
    // Geneve tunnels, and load balancing that dispatches by Geneve.
    Row {
        peers: Peers::Udp,
        port: "/tunnelPort",
        default: 6081,
        is_needed: |values| {
            is(values, "/tunnelProtocol", "geneve") || is(values, "/loadBalancer/dsrDispatch", "geneve")
        },
    },
    // VXLAN at another port than the one that is always open.
    Row {
        peers: Peers::Udp,
        port: "/tunnelPort",
        default: 8472,
        is_needed: |values| is_set(values, "/tunnelPort") && !is(values, "/tunnelProtocol", "geneve"),
    },
    tcp("/healthPort", 4240, |values| is_set(values, "/healthPort")),
    tcp("/hubble/peerService/targetPort", 4244, |values| is_set(values, "/hubble/peerService/targetPort")),
    metrics("/hubble/metrics/port", 9965, |values| {
        values.pointer("/hubble/metrics/enabled").and_then(Value::as_array).is_some_and(|on| !on.is_empty())
    }),
    metrics("/prometheus/port", 9962, |values| is_on(values, "/prometheus/enabled")),
    metrics("/operator/prometheus/port", 9963, |values| is_on(values, "/operator/prometheus/enabled")),
    metrics("/envoy/prometheus/port", 9964, |values| is_on(values, "/envoy/prometheus/enabled")),
    tcp("/authentication/mutual/port", 4250, |values| is_on(values, "/authentication/mutual/spire/enabled")),
];

const fn tcp(port: &'static str, default: u16, is_needed: fn(&Value) -> bool) -> Row {
    Row { peers: Peers::Tcp, port, default, is_needed }
}

const fn metrics(port: &'static str, default: u16, is_needed: fn(&Value) -> bool) -> Row {
    Row { peers: Peers::Metrics, port, default, is_needed }
}

fn is_on(values: &Value, pointer: &str) -> bool {
    values.pointer(pointer) == Some(&Value::Bool(true))
}

fn is_set(values: &Value, pointer: &str) -> bool {
    values.pointer(pointer).is_some_and(|value| !value.is_null())
}

fn is(values: &Value, pointer: &str, word: &str) -> bool {
    values.pointer(pointer).is_some_and(|value| value == word)
}

/// Returns the ports that the values need.
#[must_use]
pub fn ports(cluster: &Cluster) -> Ports {
    of_values(&cilium::merged(cluster))
}

fn of_values(values: &Value) -> Ports {
    let mut ports = Ports::default();
    for row in ROWS.iter().filter(|row| (row.is_needed)(values)) {
        let written = values.pointer(row.port).and_then(Value::as_u64);
        let port = written.and_then(|port| u16::try_from(port).ok()).unwrap_or(row.default);
        let opened = match row.peers {
            Peers::Tcp => &mut ports.node_tcp,
            Peers::Udp => &mut ports.node_udp,
            Peers::Metrics => &mut ports.tcp,
        };
        // The chart's own default of `tunnelPort` is 0, which stands for that of the protocol.
        opened.insert(if port == 0 { row.default } else { port });
    }
    ports
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn assert_ports(values: &Value, node_udp: &[u16], node_tcp: &[u16], tcp: &[u16]) {
        let set = |ports: &[u16]| ports.iter().copied().collect();
        let expected = Ports { tcp: set(tcp), node_tcp: set(node_tcp), node_udp: set(node_udp) };
        assert_eq!(of_values(values), expected, "{values}");
    }

    #[test]
    fn values_open_the_ports_that_they_need() {
        assert_ports(&json!({}), &[], &[], &[]);
        assert_ports(&json!({ "tunnelProtocol": "geneve" }), &[6081], &[], &[]);
        assert_ports(&json!({ "tunnelProtocol": "geneve", "tunnelPort": 7000 }), &[7000], &[], &[]);
        assert_ports(&json!({ "tunnelPort": 7000 }), &[7000], &[], &[]);
        assert_ports(&json!({ "healthPort": 5000 }), &[], &[5000], &[]);
        assert_ports(&json!({ "hubble": { "peerService": { "targetPort": 5001 } } }), &[], &[5001], &[]);
        assert_ports(&json!({ "hubble": { "metrics": { "enabled": ["dns"] } } }), &[], &[], &[9965]);
        assert_ports(&json!({ "hubble": { "metrics": { "enabled": [], "port": 1 } } }), &[], &[], &[]);
        assert_ports(&json!({ "prometheus": { "enabled": true, "port": 9000 } }), &[], &[], &[9000]);
    }
}
