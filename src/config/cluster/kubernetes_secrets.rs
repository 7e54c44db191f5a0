//! Kubernetes Secrets that the servers make from the nodes' files: none of them is ever rendered.

use super::certificates::DnsValue;
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
            key: "password",
            from: password.clone(),
        })
    }
}

impl Cluster {
    /// Returns the Kubernetes Secrets of the cluster, sorted by name.
    #[must_use]
    pub fn kubernetes_secrets(&self) -> Vec<KubernetesSecret> {
        let mut secrets: Vec<_> = self.bgp.routers.iter().filter_map(Router::kubernetes_secret).collect();
        secrets.extend(self.certificates.dns.values.iter().filter_map(|(_, value)| match value {
            DnsValue::Secret(secret) => Some(secret.clone()),
            DnsValue::Text(_) => None,
        }));
        secrets.sort_by(|one, other| one.name.cmp(&other.name));
        secrets
    }
}
