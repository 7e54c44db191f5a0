//! Reads what is needed from the objects of Kubernetes. What is missing, or is of another type, is left out.

use std::collections::BTreeMap;
use std::net::IpAddr;

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::operate::status::facts::{
    AcmeStep, CertificateFacts, Chart, CiliumNode, Condition, Conditions, GatewayFacts, Labels, NodeObject,
    Peer, PeerConfig, PodFacts, PodTrouble,
};

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub(super) fn name(data: &Value) -> &str {
    data["metadata"]["name"].as_str().unwrap_or_default()
}

pub(super) fn created(data: &Value) -> &str {
    data["metadata"]["creationTimestamp"].as_str().unwrap_or_default()
}

pub(super) fn labels(data: &Value) -> Labels {
    text_map(&data["metadata"]["labels"])
}

fn text_map(value: &Value) -> Labels {
    let map = value.as_object().into_iter().flatten();
    map.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

pub(super) fn node(data: &Value) -> NodeObject {
    NodeObject {
        conditions: conditions(data),
        is_cordoned: data["spec"]["unschedulable"] == true,
        version: text(&data["status"]["nodeInfo"]["kubeletVersion"]),
    }
}

/// Reads `status.conditions` by their types (`meta/v1` of Kubernetes).
pub(super) fn conditions(data: &Value) -> Conditions {
    let conditions = items(&data["status"]["conditions"]).filter_map(|condition| {
        let parsed = Condition {
            is_true: condition["status"] == "True",
            reason: text(&condition["reason"]),
            message: text(&condition["message"]),
        };
        Some((condition["type"].as_str()?.to_owned(), parsed))
    });
    conditions.collect()
}

pub(super) fn pod(data: &Value) -> PodFacts {
    let (status, metadata) = (&data["status"], &data["metadata"]);
    let phase = status["phase"].as_str().unwrap_or_default();
    let conditions = conditions(data);
    let is_ready = conditions.get("Ready").is_some_and(|ready| ready.is_true);
    PodFacts {
        name: text(&metadata["name"]),
        namespace: text(&metadata["namespace"]),
        created: text(&metadata["creationTimestamp"]),
        node: data["spec"]["nodeName"].as_str().map(str::to_owned),
        labels: labels(data),
        is_ready,
        is_over: matches!(phase, "Succeeded" | "Failed"),
        trouble: if is_ready { None } else { pod_trouble(status, &conditions) },
    }
}

/// Why a pod is not ready: the first container that waits says so, else the scheduler.
fn pod_trouble(status: &Value, conditions: &Conditions) -> Option<PodTrouble> {
    let containers = items(&status["initContainerStatuses"]).chain(items(&status["containerStatuses"]));
    for container in containers {
        let waiting = &container["state"]["waiting"];
        let (reason, message) = (waiting["reason"].as_str().unwrap_or_default(), text(&waiting["message"]));
        match reason {
            "ImagePullBackOff" | "ErrImagePull" | "InvalidImageName" | "ErrImageNeverPull" => {
                return Some(PodTrouble::ImagePull { image: text(&container["image"]), message });
            }
            "CrashLoopBackOff" => {
                let last = &container["lastState"]["terminated"];
                let said = [&last["message"], &last["reason"]].map(text);
                let said = said.into_iter().find(|said| !said.is_empty());
                let code = last["exitCode"].as_i64().map(|code| format!(" with status {code}"));
                let said = said.map(|said| format!(": {said}")).unwrap_or_default();
                let message = format!("it ended{}{said}", code.unwrap_or_default());
                return Some(PodTrouble::CrashLoop { container: text(&container["name"]), message });
            }
            "" | "PodInitializing" | "ContainerCreating" => {}
            reason => return Some(PodTrouble::Other { message: join(reason, &message) }),
        }
    }
    match conditions.get("PodScheduled") {
        Some(scheduled) if !scheduled.is_true => {
            Some(PodTrouble::Unschedulable { message: scheduled.message.clone() })
        }
        _ => None,
    }
}

fn join(reason: &str, message: &str) -> String {
    if message.is_empty() { reason.to_owned() } else { format!("{reason}: {message}") }
}

pub(super) fn cilium_node(data: &Value) -> CiliumNode {
    let error = text(&data["status"]["ipam"]["operator-status"]["error"]);
    CiliumNode { refusal: Some(error).filter(|error| !error.is_empty()) }
}

/// Reads the status of a `CiliumBGPNodeConfig`.
pub(super) fn peers(data: &Value) -> BTreeMap<IpAddr, Peer> {
    let peers = items(&data["status"]["bgpInstances"]).flat_map(|instance| items(&instance["peers"]));
    let peers = peers.filter_map(|peer| {
        let counts = items(&peer["routeCount"]).map(|count| count["advertised"].as_u64());
        let advertised = counts.into_iter().try_fold(0_u64, |sum, count| sum.checked_add(count?));
        let parsed = Peer {
            name: text(&peer["name"]),
            state: peer["peeringState"].as_str().unwrap_or("unknown").to_lowercase(),
            advertised: advertised.filter(|_| peer["routeCount"].is_array()),
        };
        Some((peer["peerAddress"].as_str()?.parse().ok()?, parsed))
    });
    peers.collect()
}

pub(super) fn peer_config(data: &Value) -> PeerConfig {
    let families = items(&data["spec"]["families"]);
    PeerConfig {
        conditions: conditions(data),
        selectors: families.map(|family| text_map(&family["advertisements"]["matchLabels"])).collect(),
    }
}

/// What a job says about itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job {
    has_succeeded: bool,
    has_failed: bool,
}

pub(super) fn job(data: &Value) -> Job {
    let count = |field: &str| data["status"][field].as_u64().unwrap_or_default();
    Job { has_succeeded: count("succeeded") > 0, has_failed: count("failed") > 0 }
}

/// Reads a `HelmChart`. Its job tries again and again: one that has succeeded at last did not fail.
pub(super) fn chart(data: &Value, jobs: &BTreeMap<String, Job>) -> Chart {
    let name = data["status"]["jobName"].as_str().filter(|name| !name.is_empty());
    let job = name.and_then(|name| jobs.get(name));
    let has_failed = conditions(data).get("Failed").is_some_and(|failed| failed.is_true);
    let has_succeeded = job.is_some_and(|job| job.has_succeeded);
    Chart {
        is_failing: !has_succeeded && (has_failed || job.is_some_and(|job| job.has_failed)),
        // A job that is gone has ended long ago.
        is_installed: has_succeeded || (name.is_some() && job.is_none() && !has_failed),
        job: name.map(str::to_owned),
        last_line: None,
    }
}

/// An event of Kubernetes.
pub(super) struct Event {
    time: String,
    pub(super) is_warning: bool,
    pub(super) message: String,
}

/// Returns the newest event of each object, by the object's name.
pub(super) fn newest_events<'a>(events: impl Iterator<Item = &'a Value>) -> BTreeMap<String, Event> {
    let mut newest: BTreeMap<String, Event> = BTreeMap::new();
    for data in events {
        let times = [&data["lastTimestamp"], &data["eventTime"], &data["firstTimestamp"]];
        let time = times.into_iter().find_map(Value::as_str).unwrap_or_default().to_owned();
        let message = text(&data["message"]);
        let event = Event { time, is_warning: data["type"] == "Warning", message };
        let name = text(&data["involvedObject"]["name"]);
        match newest.get(&name) {
            Some(earlier) if earlier.time > event.time => {}
            _ => drop(newest.insert(name, event)),
        }
    }
    newest
}

/// Returns the first of the times in a text: `… will expire within 120 days at 2026-12-24T08:00:00Z`.
pub(super) fn first_time(message: &str) -> Option<Timestamp> {
    let words = message.split(|character: char| character.is_whitespace() || ",;".contains(character));
    words.filter_map(|word| word.parse().ok()).min()
}

pub(super) fn gateway(data: &Value) -> GatewayFacts {
    let addresses = items(&data["status"]["addresses"]);
    GatewayFacts {
        conditions: conditions(data),
        addresses: addresses.filter_map(|address| Some(address["value"].as_str()?.to_owned())).collect(),
    }
}

pub(super) fn certificate(data: &Value) -> CertificateFacts {
    let time = |field: &str| data["status"][field].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    CertificateFacts {
        conditions: conditions(data),
        issuer: text(&data["spec"]["issuerRef"]["name"]),
        not_after: time("notAfter"),
        renewal: time("renewalTime"),
    }
}

/// Reads an Order or a Challenge of cert-manager.
pub(super) fn acme_step(data: &Value) -> AcmeStep {
    AcmeStep {
        name: name(data).to_owned(),
        state: text(&data["status"]["state"]),
        reason: text(&data["status"]["reason"]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::common::mutation;

    #[test]
    fn the_first_end_of_several_certificates_counts() {
        let message = "Node certificates require attention - restart k3s on this node to trigger automatic rotation: \
                       client-admin.crt: certificate CN=system:admin will expire within 120 days at \
                       2026-12-24T08:00:00Z, kubelet.crt: certificate CN=rk1-01 will expire within 120 days at \
                       2026-12-23T08:00:00Z";
        assert_eq!(first_time(message).map(|time| time.to_string()).as_deref(), Some("2026-12-23T08:00:00Z"));
        assert_eq!(first_time("no time"), None);
    }

    #[test]
    fn mutations_of_objects_are_read() {
        let condition = json!([{ "type": "Ready", "status": "False", "reason": "r", "message": "m" }]);
        let object = json!({
            "metadata": { "name": "n", "namespace": "kube-system", "labels": { "a": "b" } },
            "spec": { "nodeName": "rk1-01", "families": [{ "advertisements": { "matchLabels": { "a": "b" } } }] },
            "status": {
                "conditions": condition, "jobName": "j", "succeeded": 1, "state": "pending", "phase": "Running",
                "addresses": [{ "value": "10.200.200.1" }], "notAfter": "2026-12-24T08:00:00Z",
                "bgpInstances": [{ "peers": [{ "peerAddress": "172.16.10.1", "peeringState": "idle",
                    "routeCount": [{ "advertised": 1 }] }] }],
                "containerStatuses": [{ "name": "c", "image": "i", "state": { "waiting": {
                    "reason": "CrashLoopBackOff" } }, "lastState": { "terminated": { "exitCode": 1 } } }],
            },
            "involvedObject": { "name": "n" }, "type": "Warning", "lastTimestamp": "2026-12-24T08:00:00Z",
        });
        let words = ["18446744073709551615", "[]", "{}", "\"CrashLoopBackOff\"", "\"status\":"];
        mutation::for_each(&[object.to_string().as_bytes()], &words, |bytes| {
            let Ok(data) = serde_json::from_slice::<Value>(bytes) else { return };
            let _ = (node(&data), pod(&data), peers(&data), peer_config(&data), gateway(&data));
            let _ = cilium_node(&data);
            let jobs = BTreeMap::from([("j".to_owned(), job(&data))]);
            let _ = (chart(&data, &jobs), certificate(&data), acme_step(&data));
            let _ = newest_events([&data].into_iter());
        });
    }
}
