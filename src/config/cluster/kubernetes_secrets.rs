//! Kubernetes Secrets that the servers make from the nodes' files: none of them is ever rendered.

use super::certificates::Certificates;
use super::kubernetes_secret::OPAQUE;
use super::resolve::Cluster;
use super::router::Router;
use super::secrets::KubernetesSecret;

impl Router {
    /// Where Cilium looks for the password of the sessions (the chart's `bgpControlPlane.secretsNamespace`).
    #[must_use]
    pub fn kubernetes_secret(&self) -> Option<KubernetesSecret> {
        self.password.as_ref().map(|password| KubernetesSecret {
            name: format!("bgp-{}", self.name),
            namespace: "kube-system".to_owned(),
            key: "password".to_owned(),
            kind: OPAQUE.to_owned(),
            from: password.clone(),
        })
    }
}

/// Returns the keys that routers and certificates need.
pub(super) fn built_in(routers: &[Router], certificates: &Certificates) -> Vec<KubernetesSecret> {
    let passwords = routers.iter().filter_map(Router::kubernetes_secret);
    passwords.chain(certificates.kubernetes_secrets()).collect()
}

impl Cluster {
    /// Returns the keys of the cluster's Kubernetes Secrets, sorted by the Secrets' names.
    #[must_use]
    pub fn kubernetes_secrets(&self) -> Vec<KubernetesSecret> {
        let mut secrets = built_in(self.routers(), &self.certificates);
        secrets.extend(self.own_kubernetes_secrets.iter().map(|own| own.secret.clone()));
        secrets.sort_by(|one, other| {
            (&one.name, &one.key, &one.namespace).cmp(&(&other.name, &other.key, &other.namespace))
        });
        secrets
    }
}
