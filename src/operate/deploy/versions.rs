//! Asks Kubernetes which versions run.

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use k8s_openapi::api::core::v1::{Node, PodSpec};
use kube::{Api, Client};

use super::actions::ActionError;
use super::drain::within;
use crate::config::cluster::Running;

/// Returns the versions of a node's kubelet, of Cilium and of cert-manager. What is not installed is left out.
pub(super) async fn running(client: &Client, node: &str) -> Result<Running, ActionError> {
    let nodes: Api<Node> = Api::all(client.clone());
    let agents: Api<DaemonSet> = Api::namespaced(client.clone(), "kube-system");
    let controllers: Api<Deployment> = Api::namespaced(client.clone(), "cert-manager");
    let node = within(nodes.get_opt(node)).await?;
    let agent = within(agents.get_opt("cilium")).await?;
    let controller = within(controllers.get_opt("cert-manager")).await?;
    let kubelet = node.and_then(|node| Some(node.status?.node_info?.kubelet_version));
    let agent = agent.and_then(|agent| agent.spec?.template.spec);
    let controller = controller.and_then(|controller| controller.spec?.template.spec);
    Ok(Running {
        k3s: kubelet.as_deref().and_then(Running::kubelet),
        cilium: agent.as_ref().and_then(image).and_then(Running::image),
        cert_manager: controller.as_ref().and_then(image).and_then(Running::image),
    })
}

/// Returns the image of the first container, which is the component itself in both charts.
fn image(pods: &PodSpec) -> Option<&str> {
    pods.containers.first()?.image.as_deref()
}
