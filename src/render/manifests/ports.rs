//! Ports that the user's values of Cilium's chart need on the nodes' firewall, besides those that are always open
//! (`modules/firewall.nix`).

use std::collections::BTreeSet;

use serde_json::Value;

use super::cilium;
use crate::config::cluster::Cluster;

/// Ports to open on every node.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ports {
    pub tcp: BTreeSet<u16>,
    pub udp: BTreeSet<u16>,
}

/// A port that a value opens. Sources: Cilium's documentation, "Firewall Rules", and `values.yaml` of its chart.
struct Row {
    is_udp: bool,
    /// Where the values set the port, if they can.
    port: Option<&'static str>,
    default: u16,
    is_needed: fn(&Value) -> bool,
}

const ROWS: [Row; 10] = [
    // Geneve tunnels, and load balancing that dispatches by Geneve.
    Row {
        is_udp: true,
        port: Some("/tunnelPort"),
        default: 6081,
        is_needed: |values| {
            is(values, "/tunnelProtocol", "geneve") || is(values, "/loadBalancer/dsrDispatch", "geneve")
        },
    },
    // VXLAN at another port than the one that is always open.
    Row {
        is_udp: true,
        port: Some("/tunnelPort"),
        default: 8472,
        is_needed: |values| is_set(values, "/tunnelPort") && !is(values, "/tunnelProtocol", "geneve"),
    },
    Row {
        is_udp: true,
        port: None,
        default: 51871,
        is_needed: |values| {
            is_on(values, "/encryption/enabled") && is(values, "/encryption/type", "wireguard")
        },
    },
    tcp("/healthPort", 4240, |values| is_set(values, "/healthPort")),
    tcp("/hubble/peerService/targetPort", 4244, |values| is_set(values, "/hubble/peerService/targetPort")),
    tcp("/hubble/metrics/port", 9965, |values| {
        values.pointer("/hubble/metrics/enabled").and_then(Value::as_array).is_some_and(|on| !on.is_empty())
    }),
    tcp("/prometheus/port", 9962, |values| is_on(values, "/prometheus/enabled")),
    tcp("/operator/prometheus/port", 9963, |values| is_on(values, "/operator/prometheus/enabled")),
    tcp("/envoy/prometheus/port", 9964, |values| is_on(values, "/envoy/prometheus/enabled")),
    tcp("/authentication/mutual/port", 4250, |values| is_on(values, "/authentication/mutual/spire/enabled")),
];

const fn tcp(port: &'static str, default: u16, is_needed: fn(&Value) -> bool) -> Row {
    Row { is_udp: false, port: Some(port), default, is_needed }
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
        let written = row.port.and_then(|pointer| values.pointer(pointer)).and_then(Value::as_u64);
        let port = written.and_then(|port| u16::try_from(port).ok()).unwrap_or(row.default);
        let opened = if row.is_udp { &mut ports.udp } else { &mut ports.tcp };
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
    fn assert_ports(values: &Value, tcp: &[u16], udp: &[u16]) {
        let expected = Ports { tcp: tcp.iter().copied().collect(), udp: udp.iter().copied().collect() };
        assert_eq!(of_values(values), expected, "{values}");
    }

    #[test]
    fn values_open_the_ports_that_they_need() {
        assert_ports(&json!({}), &[], &[]);
        assert_ports(&json!({ "tunnelProtocol": "geneve" }), &[], &[6081]);
        assert_ports(&json!({ "tunnelProtocol": "geneve", "tunnelPort": 7000 }), &[], &[7000]);
        assert_ports(&json!({ "tunnelPort": 7000 }), &[], &[7000]);
        assert_ports(&json!({ "encryption": { "enabled": true, "type": "wireguard" } }), &[], &[51871]);
        assert_ports(&json!({ "encryption": { "enabled": false, "type": "wireguard" } }), &[], &[]);
        assert_ports(&json!({ "hubble": { "metrics": { "enabled": ["dns"] } } }), &[9965], &[]);
        assert_ports(&json!({ "hubble": { "metrics": { "enabled": [], "port": 1 } } }), &[], &[]);
        assert_ports(&json!({ "prometheus": { "enabled": true, "port": 9000 } }), &[9000], &[]);
        assert_ports(&json!({ "healthPort": 5000 }), &[5000], &[]);
    }
}
