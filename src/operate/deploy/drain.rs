//! Evicts a node's pods through the eviction API, which honours their disruption budgets.

use std::fmt;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{EvictParams, ListParams};
use kube::{Api, Client, Error};

use super::actions::ActionError;
use super::plan::Drain;

const REQUEST_LIMIT: Duration = Duration::from_secs(30);

/// What a drain does with a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Treatment {
    /// It stays: a `DaemonSet` would create it again at once, and a static pod is not managed by Kubernetes.
    Stay,
    Evict,
    /// It, or its data, would be lost.
    Refuse(&'static str),
}

/// The name of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PodName {
    namespace: String,
    name: String,
}

impl fmt::Display for PodName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

impl PodName {
    fn of(pod: &Pod) -> Self {
        let metadata = pod.metadata.clone();
        Self { namespace: metadata.namespace.unwrap_or_default(), name: metadata.name.unwrap_or_default() }
    }
}

/// Cordons a node. Returns false if it was cordoned already.
pub(super) async fn cordon(client: &Client, node: &str) -> Result<bool, ActionError> {
    let nodes: Api<Node> = Api::all(client.clone());
    let was_cordoned =
        within(nodes.get(node)).await?.spec.and_then(|spec| spec.unschedulable).unwrap_or_default();
    if !was_cordoned {
        within(nodes.cordon(node)).await?;
    }
    Ok(!was_cordoned)
}

pub(super) async fn uncordon(client: &Client, node: &str) -> Result<(), ActionError> {
    within(Api::<Node>::all(client.clone()).uncordon(node)).await?;
    Ok(())
}

/// Bounds the time of a request: an API server that falls silent must not stop the deploy.
pub(super) async fn within<T>(request: impl Future<Output = Result<T, Error>>) -> Result<T, ActionError> {
    match tokio::time::timeout(REQUEST_LIMIT, request).await {
        Ok(answer) => Ok(answer?),
        Err(_) => {
            Err(ActionError::Late { command: "a request to Kubernetes".to_owned(), limit: REQUEST_LIMIT })
        }
    }
}

/// Evicts the pods of a cordoned node and waits until they are gone, or until `is_cancelled`.
pub(super) async fn drain(
    client: &Client,
    node: &str,
    options: Drain,
    is_cancelled: impl Fn() -> bool,
) -> Result<(), ActionError> {
    let begun = Instant::now();
    let mut is_first = true;
    loop {
        let pods = on_node(client, node).await?;
        if is_first {
            refuse_losses(&pods, options)?;
            is_first = false;
        }
        let moving: Vec<_> =
            pods.iter().filter(|pod| !matches!(treatment(pod, options), Treatment::Stay)).collect();
        if moving.is_empty() {
            return Ok(());
        }
        let mut waits_for = Vec::new();
        for pod in moving {
            let name = PodName::of(pod);
            let is_ending = pod.metadata.deletion_timestamp.is_some();
            let why = if is_ending { Some("is ending".to_owned()) } else { evict(client, &name).await? };
            waits_for.extend(why.map(|why| format!("{name}: {why}")));
        }
        if begun.elapsed() > options.limit {
            return Err(ActionError::Undrained { limit: options.limit, waits_for });
        }
        if is_cancelled() {
            return Err(ActionError::Cancelled);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn on_node(client: &Client, node: &str) -> Result<Vec<Pod>, ActionError> {
    let parameters = ListParams::default().fields(&format!("spec.nodeName={node}"));
    Ok(within(Api::<Pod>::all(client.clone()).list(&parameters)).await?.items)
}

/// Requests an eviction. Returns why the pod is still there.
async fn evict(client: &Client, name: &PodName) -> Result<Option<String>, ActionError> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), &name.namespace);
    match within(pods.evict(&name.name, &EvictParams::default())).await {
        Ok(_) => Ok(Some("has been evicted".to_owned())),
        Err(ActionError::Kubernetes(Error::Api(status))) if status.code == 404 => Ok(None),
        // A disruption budget does not allow it now.
        Err(ActionError::Kubernetes(Error::Api(status))) if status.code == 429 => Ok(Some(status.message)),
        Err(error) => Err(error),
    }
}

fn refuse_losses(pods: &[Pod], options: Drain) -> Result<(), ActionError> {
    let lost = |pod: &Pod| match treatment(pod, options) {
        Treatment::Refuse(why) => Some(format!("{}: {why}", PodName::of(pod))),
        Treatment::Stay | Treatment::Evict => None,
    };
    let lost: Vec<_> = pods.iter().filter_map(lost).collect();
    if lost.is_empty() { Ok(()) } else { Err(ActionError::WouldLose(lost)) }
}

/// Decides like `kubectl drain`.
fn treatment(pod: &Pod, options: Drain) -> Treatment {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    let annotations = pod.metadata.annotations.as_ref();
    let owners = pod.metadata.owner_references.as_deref().unwrap_or_default();
    let controller = owners.iter().find(|owner| owner.controller == Some(true));
    let keeps_data = || {
        let volumes = pod.spec.as_ref().and_then(|spec| spec.volumes.as_deref());
        volumes.unwrap_or_default().iter().any(|volume| volume.empty_dir.is_some())
    };
    let is_static =
        annotations.is_some_and(|annotations| annotations.contains_key("kubernetes.io/config.mirror"));
    if is_static || controller.is_some_and(|owner| owner.kind == "DaemonSet") {
        Treatment::Stay
    } else if matches!(phase, Some("Succeeded" | "Failed")) {
        // It has ended.
        Treatment::Stay
    } else if controller.is_none() {
        Treatment::Refuse("nothing would start it again")
    } else if keeps_data() && !options.delete_empty_dirs {
        Treatment::Refuse("it has an emptyDir, whose data would be lost")
    } else {
        Treatment::Evict
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use k8s_openapi::api::core::v1::Pod;
    use serde_json::{Value, json};

    use super::{Drain, Treatment, treatment};

    fn judge(pod: Value, delete_empty_dirs: bool) -> Option<Treatment> {
        let pod: Pod = serde_json::from_value(pod).ok()?;
        Some(treatment(&pod, Drain { limit: Duration::ZERO, delete_empty_dirs }))
    }

    #[test]
    fn pods_are_classified() {
        let owned = |kind: &str| json!([{"apiVersion": "v1", "kind": kind, "name": "x", "uid": "1", "controller": true}]);
        let daemon = json!({"metadata": {"ownerReferences": owned("DaemonSet")}});
        let fixed = json!({"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}}});
        let over = json!({"metadata": {}, "status": {"phase": "Succeeded"}});
        for pod in [daemon, fixed, over] {
            assert_eq!(judge(pod, false), Some(Treatment::Stay));
        }
        assert_eq!(
            judge(json!({"metadata": {"ownerReferences": owned("ReplicaSet")}}), false),
            Some(Treatment::Evict)
        );
        assert_eq!(
            judge(json!({"metadata": {}}), true),
            Some(Treatment::Refuse("nothing would start it again"))
        );
        let scratch = json!({
            "metadata": {"ownerReferences": owned("ReplicaSet")},
            "spec": {"containers": [], "volumes": [{"name": "cache", "emptyDir": {}}]},
        });
        assert!(matches!(judge(scratch.clone(), false), Some(Treatment::Refuse(_))));
        assert_eq!(judge(scratch, true), Some(Treatment::Evict));
    }
}
