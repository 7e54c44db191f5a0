//! Kubernetes Secrets that the servers make from the nodes' files: none of them is ever rendered.

use super::resolve::Cluster;
use super::router::Router;
use super::secrets::KubernetesSecret;

impl Router {
    /// Where Cilium looks for the password of the sessions (the chart's `bgpControlPlane.secretsNamespace`).
    #[must_use]
    pub fn kubernetes_secret(&self) -> Option<KubernetesSecret> {
        self.password.as_ref().map(|password| KubernetesSecret {
            name: format!("bgp-{}", self.name),
            namespace: "kube-system",
            key: "password".to_owned(),
            from: password.clone(),
        })
    }
}

impl Cluster {
    /// Returns the keys of the cluster's Kubernetes Secrets, sorted by the Secrets' names.
    #[must_use]
    pub fn kubernetes_secrets(&self) -> Vec<KubernetesSecret> {
        let mut secrets: Vec<_> = self.routers().iter().filter_map(Router::kubernetes_secret).collect();
        secrets.extend(self.certificates.kubernetes_secrets());
        secrets.sort_by(|one, other| (&one.name, &one.key).cmp(&(&other.name, &other.key)));
        secrets
    }
}
