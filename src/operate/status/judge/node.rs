//! A node: what it says of itself, and what Kubernetes says of it.

use crate::config::cluster::{Cluster, Node};
use crate::operate::status::facts::{Answer, KubernetesFacts, NodeFacts, Reading, StreamerFacts};
use crate::operate::status::failure::ProbeError;
use crate::operate::status::observation::{Finding, NodeObservation};

pub(super) fn judge(
    cluster: &Cluster,
    node: &Node,
    answer: &Answer<NodeFacts>,
    kubernetes: &Answer<KubernetesFacts>,
) -> NodeObservation {
    let of_facts = |judge: &dyn Fn(&NodeFacts) -> Finding| match answer {
        Ok(facts) => judge(facts),
        Err(_) => Finding::unknown_too("the node was not heard"),
    };
    NodeObservation {
        name: node.name.clone(),
        answers: answers(node, answer.as_ref().err()),
        k3s: of_facts(&|facts| k3s(node, facts)),
        ready: ready(node, kubernetes),
        disk: of_facts(&|facts| disk(node, facts)),
        streamer: cluster.streamer.as_ref().map(|_| of_facts(&|facts| streamers(node, facts))),
    }
}

fn answers(node: &Node, failure: Option<&ProbeError>) -> Finding {
    let address = node.address.v4().addr();
    match failure {
        None => Finding::good("answers"),
        Some(failure) if failure.is_silence() => {
            let (slot, board) = (node.slot, &node.board);
            let look_at = format!(
                "slot {slot} of {board}: `tpi power status`, `tpi uart -n {slot} get`, `ping {address}`"
            );
            Finding::wrong(failure.to_string(), look_at)
        }
        Some(ProbeError::NotAsked { reason }) => {
            Finding::unknown(reason, "this machine: nodes are asked by its `ssh`")
        }
        Some(ProbeError::Unexpected { said }) => {
            let look_at = format!("`ssh root@{address} sh`: it has to run a script, and say nothing else");
            Finding::unknown(format!("not understood: {said}"), look_at)
        }
        Some(failure) => {
            let look_at = format!(
                "`ssh root@{address}`: your key has to be in `ssh-keys`, and the node's in your known_hosts"
            );
            Finding::unknown(failure.to_string(), look_at)
        }
    }
}

fn k3s(node: &Node, facts: &NodeFacts) -> Finding {
    match facts.k3s.as_str() {
        "active" => Finding::good("active"),
        state => Finding::wrong(
            format!("its service is {}", or_missing(state)),
            format!("`journalctl -u k3s` on {}", node.name),
        ),
    }
}

/// systemd has a word for everything but for silence.
fn or_missing(state: &str) -> &str {
    if state.is_empty() { "not known to systemd" } else { state }
}

fn ready(node: &Node, kubernetes: &Answer<KubernetesFacts>) -> Finding {
    let Ok(kubernetes) = kubernetes else { return Finding::unknown_too("Kubernetes was not heard") };
    let describe = format!("`kubectl describe node {}`", node.name);
    let Some(condition) = kubernetes.nodes.get(node.name.as_str()) else {
        let look_at =
            format!("`journalctl -u k3s` on {}; whether {} is this cluster's", node.name, kubernetes.server);
        return Finding::wrong("Kubernetes does not know it", look_at);
    };
    match &condition.ready {
        Some(ready) if ready.is_true && condition.is_unschedulable => Finding::good("ready, cordoned"),
        Some(ready) if ready.is_true => Finding::good("ready"),
        Some(ready) => Finding::wrong(format!("not ready: {}: {}", ready.reason, ready.message), describe),
        None => Finding::wrong("not ready: its kubelet has said nothing yet", describe),
    }
}

fn disk(node: &Node, facts: &NodeFacts) -> Finding {
    let missing: Vec<_> = facts.mounts.iter().filter(|mount| mount.options.is_none()).collect();
    if let [first, rest @ ..] = missing.as_slice() {
        let what = match rest.len() {
            0 => format!("{} is not mounted", first.path),
            more => format!("{} and {more} more are not mounted", first.path),
        };
        return Finding::wrong(
            what,
            format!("`journalctl -u rk1-storage` and `systemctl --failed` on {}", node.name),
        );
    }
    let is_read_only = |options: &String| options.split(',').any(|option| option == "ro");
    match facts.mounts.iter().find(|mount| mount.options.as_ref().is_some_and(is_read_only)) {
        Some(mount) => Finding::wrong(
            format!("{} has become read-only", mount.path),
            format!("the disk of {}: `journalctl -k --grep 'nvme|EXT4'`", node.name),
        ),
        None => Finding::good("mounted"),
    }
}

/// The gravest of all instances; where all is well, the figures of all.
fn streamers(node: &Node, facts: &NodeFacts) -> Finding {
    let findings = facts.streamers.iter().map(|streamer| self::streamer(node, streamer));
    let gravest = findings.filter(|finding| !finding.is_good()).max_by_key(Finding::verdict);
    gravest.unwrap_or_else(|| {
        let last = facts.streamers.iter().filter_map(|streamer| streamer.readings).map(|[_, last]| last);
        let sum = |figure: fn(&Reading) -> u64| last.clone().map(|reading| figure(&reading)).sum::<u64>();
        Finding::good(format!(
            "{} of {} packets and {} rows lost",
            sum(|reading| reading.lost),
            sum(|reading| reading.packets),
            sum(|reading| reading.rows_dropped + reading.rows_refused),
        ))
    })
}

/// What is lost while one looks is wrong; what was lost once is a figure.
fn streamer(node: &Node, facts: &StreamerFacts) -> Finding {
    let unit = &facts.unit;
    let journal = format!("`journalctl -u {unit}` on {}", node.name);
    if facts.state != "active" {
        return Finding::wrong(format!("{unit} is {}", or_missing(&facts.state)), journal);
    }
    let Some([before, after]) = facts.readings else {
        let look_at = format!("`rk1.streamer.metricsPort` of {}", node.name);
        return Finding::unknown(format!("{unit} runs, but serves no figures"), look_at);
    };
    let grown = |figure: fn(&Reading) -> u64| figure(&after).saturating_sub(figure(&before));
    let (lost, dropped) = (grown(|reading| reading.lost), grown(|reading| reading.rows_dropped));
    let refused = grown(|reading| reading.rows_refused);
    let is_stuck = grown(|reading| reading.rows_delivered) == 0 && grown(|reading| reading.rows_waiting) > 0;
    if !after.is_attached {
        Finding::wrong(format!("{unit} watches no interface"), journal)
    } else if refused > 0 {
        let look_at = format!("{journal}: the token, and the limits of Grafana");
        Finding::wrong(format!("Grafana refuses its rows: {refused} while we looked"), look_at)
    } else if dropped > 0 {
        let look_at = format!("{journal}: whether Grafana is reached");
        Finding::wrong(format!("its buffer is full: {dropped} rows dropped while we looked"), look_at)
    } else if is_stuck {
        let look_at = format!("{journal}: whether Grafana is reached");
        Finding::wrong(format!("Grafana takes nothing: {} rows wait", after.rows_waiting), look_at)
    } else if lost > 0 {
        let look_at = format!("`budget` in `[streamer]`, and the load of {}", node.name);
        let what = format!("{lost} of {} packets lost while we looked", grown(|reading| reading.packets));
        Finding::wrong(what, look_at)
    } else {
        Finding::good("loses nothing")
    }
}
