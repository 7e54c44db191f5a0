//! Has a node's pods run elsewhere: by the eviction API, which honours their disruption budgets.

use std::fmt;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{EvictParams, ListParams};
use kube::{Api, Client, Error};

use super::actions::ActionError;
use super::plan::Drain;

const REQUEST_LIMIT: Duration = Duration::from_secs(30);

/// What becomes of a pod when its node is drained.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// It belongs to the node: a `DaemonSet` would make it anew there at once, a static pod is not Kubernetes' own.
    Stays,
    Moves,
    /// It would be lost, or what it holds.
    Lost(&'static str),
}

/// A pod by name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    namespace: String,
    name: String,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

impl Place {
    fn of(pod: &Pod) -> Self {
        let metadata = pod.metadata.clone();
        Self { namespace: metadata.namespace.unwrap_or_default(), name: metadata.name.unwrap_or_default() }
    }
}

/// Lets no further pod onto the node. Returns whether it took any before.
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

/// An API server that falls silent must not hold the deploy up.
async fn within<T>(request: impl Future<Output = Result<T, Error>>) -> Result<T, ActionError> {
    match tokio::time::timeout(REQUEST_LIMIT, request).await {
        Ok(answer) => Ok(answer?),
        Err(_) => {
            Err(ActionError::Late { command: "a request to Kubernetes".to_owned(), limit: REQUEST_LIMIT })
        }
    }
}

/// Evicts the pods of a cordoned node and waits until they are gone. `is_cancelled` is asked again and again.
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
        let moving: Vec<_> = pods.iter().filter(|pod| !matches!(kind(pod, options), Kind::Stays)).collect();
        if moving.is_empty() {
            return Ok(());
        }
        let mut waits_for = Vec::new();
        for pod in moving {
            let place = Place::of(pod);
            let is_ending = pod.metadata.deletion_timestamp.is_some();
            let why = if is_ending { Some("it is ending".to_owned()) } else { evict(client, &place).await? };
            waits_for.extend(why.map(|why| format!("{place}: {why}")));
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

/// Asks for it, and says what stands against it.
async fn evict(client: &Client, place: &Place) -> Result<Option<String>, ActionError> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), &place.namespace);
    match within(pods.evict(&place.name, &EvictParams::default())).await {
        Ok(_) => Ok(Some("it has been evicted".to_owned())),
        Err(ActionError::Kubernetes(Error::Api(status))) if status.code == 404 => Ok(None),
        // A budget allows no further disruption now.
        Err(ActionError::Kubernetes(Error::Api(status))) if status.code == 429 => Ok(Some(status.message)),
        Err(error) => Err(error),
    }
}

fn refuse_losses(pods: &[Pod], options: Drain) -> Result<(), ActionError> {
    let lost = |pod: &Pod| match kind(pod, options) {
        Kind::Lost(why) => Some(format!("{}: {why}", Place::of(pod))),
        Kind::Stays | Kind::Moves => None,
    };
    let lost: Vec<_> = pods.iter().filter_map(lost).collect();
    if lost.is_empty() { Ok(()) } else { Err(ActionError::WouldLose(lost)) }
}

/// As `kubectl drain` has it.
fn kind(pod: &Pod, options: Drain) -> Kind {
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
        Kind::Stays
    } else if matches!(phase, Some("Succeeded" | "Failed")) {
        // Over: nothing of it runs here.
        Kind::Stays
    } else if controller.is_none() {
        Kind::Lost("nothing would start it again")
    } else if keeps_data() && !options.delete_empty_dirs {
        Kind::Lost("it has an emptyDir, whose data would go with it")
    } else {
        Kind::Moves
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use k8s_openapi::api::core::v1::Pod;
    use serde_json::{Value, json};

    use super::{Drain, Kind, kind};

    fn judge(pod: Value, delete_empty_dirs: bool) -> Option<Kind> {
        let pod: Pod = serde_json::from_value(pod).ok()?;
        Some(kind(&pod, Drain { limit: Duration::ZERO, delete_empty_dirs }))
    }

    #[test]
    fn pods_are_told_apart() {
        let owned = |kind: &str| json!([{"apiVersion": "v1", "kind": kind, "name": "x", "uid": "1", "controller": true}]);
        let daemon = json!({"metadata": {"ownerReferences": owned("DaemonSet")}});
        let fixed = json!({"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}}});
        let over = json!({"metadata": {}, "status": {"phase": "Succeeded"}});
        for pod in [daemon, fixed, over] {
            assert_eq!(judge(pod, false), Some(Kind::Stays));
        }
        assert_eq!(
            judge(json!({"metadata": {"ownerReferences": owned("ReplicaSet")}}), false),
            Some(Kind::Moves)
        );
        assert_eq!(judge(json!({"metadata": {}}), true), Some(Kind::Lost("nothing would start it again")));
        let scratch = json!({
            "metadata": {"ownerReferences": owned("ReplicaSet")},
            "spec": {"containers": [], "volumes": [{"name": "cache", "emptyDir": {}}]},
        });
        assert!(matches!(judge(scratch.clone(), false), Some(Kind::Lost(_))));
        assert_eq!(judge(scratch, true), Some(Kind::Moves));
    }
}
