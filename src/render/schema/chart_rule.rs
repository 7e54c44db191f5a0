//! Rules about values of Cilium's chart that its schema does not contain.
//!
//! The chart checks them when it is installed (`templates/validate.yaml` of cilium/charts, 1.16.1 to 1.20.0). Only the rules
//! that a user's values can break are here. Keys that are left out have the chart's defaults.

use serde_json::Value;

use super::problem::{ResourceMistake, ResourceProblem};

struct ChartRule {
    /// The value to change.
    path: &'static str,
    message: &'static str,
    instead: &'static str,
    is_broken: fn(&Value) -> bool,
}

const CILIUM: [ChartRule; 5] = [
    ChartRule {
        path: "l7Proxy",
        message: "the gateway needs the proxy on each node, so the chart refuses this",
        instead: "write `true`, or remove it",
        is_broken: |values| is_on(values, "/gatewayAPI/enabled", false) && !is_on(values, "/l7Proxy", true),
    },
    ChartRule {
        path: "hubble.relay.enabled",
        message: "Hubble's page needs the relay, so the chart refuses this",
        instead: "write `true`, or switch the page off with `enable = false` under `[hubble]`",
        is_broken: |values| {
            is_on(values, "/hubble/ui/enabled", false)
                && !is_on(values, "/hubble/ui/standalone/enabled", false)
                && !is_on(values, "/hubble/relay/enabled", false)
        },
    },
    ChartRule {
        path: "hubble.enabled",
        message: "the relay needs Hubble on each node, so the chart refuses this",
        instead: "write `hubble.relay.enabled = false` as well",
        is_broken: |values| {
            is_on(values, "/hubble/relay/enabled", false) && !is_on(values, "/hubble/enabled", true)
        },
    },
    ChartRule {
        path: "cluster.name",
        message: "the chart does not accept this name",
        instead: "write up to 32 lower-case letters, digits and `-`, with a letter or a digit at both ends",
        is_broken: |values| {
            let name = values.pointer("/cluster/name").and_then(Value::as_str);
            name.is_some_and(|name| !is_cluster_name(name))
        },
    },
    // Not a rule of the chart: without kube-proxy and its replacement no Service answers.
    ChartRule {
        path: "kubeProxyReplacement",
        message: "k3s runs without kube-proxy, so Cilium must replace it",
        instead: "write `true`, or remove it",
        is_broken: |values| !is_on(values, "/kubeProxyReplacement", true),
    },
];

/// Returns the rules that values of Cilium's chart break.
pub(super) fn broken_by(values: &Value) -> impl Iterator<Item = ResourceProblem> {
    CILIUM.iter().filter(|rule| (rule.is_broken)(values)).map(|rule| ResourceProblem {
        path: rule.path.to_owned(),
        mistake: ResourceMistake::ChartRule {
            message: rule.message.to_owned(),
            instead: rule.instead.to_owned(),
        },
    })
}

/// Returns whether a switch is on. Some charts have it as a string; null stands for the chart's default.
fn is_on(values: &Value, pointer: &str, default: bool) -> bool {
    match values.pointer(pointer) {
        None | Some(Value::Null) => default,
        Some(value) => *value == Value::Bool(true) || value == "true",
    }
}

fn is_cluster_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = [name.bytes().next(), name.bytes().next_back()];
    name.len() <= 32
        && ends.into_iter().all(|end| end.is_some_and(is_letter))
        && name.bytes().all(|byte| is_letter(byte) || byte == b'-')
}
