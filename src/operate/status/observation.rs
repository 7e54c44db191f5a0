//! What was found out about a cluster: all findings, by node, router and service.

use serde::Serialize;

use super::finding::{Finding, Verdict};
use crate::config::cluster::Label;

/// What was found out about a cluster, or about some of its nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Observation {
    pub nodes: Vec<NodeObservation>,
    pub routers: Vec<RouterObservation>,
    pub cluster: ClusterObservation,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeObservation {
    pub name: Label,
    /// What the node says itself. `None` for a machine that `rk1` does not log in to.
    #[serde(flatten)]
    pub host: Option<HostObservation>,
    /// The node's conditions in Kubernetes.
    pub ready: Finding,
    /// Cilium's agent on it.
    pub cilium: Finding,
}

/// What was found out about a host of NixOS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostObservation {
    /// Whether it answers over ssh.
    pub answers: Finding,
    /// The systemd unit, and the certificates of k3s.
    pub k3s: Finding,
    /// The data disk and the directories on it.
    pub disk: Finding,
    pub clock: Finding,
    /// Whether the system, the kernel and the k3s that run are those of the profile.
    pub system: Finding,
    /// `None` where the cluster has no streamer.
    pub streamer: Option<Finding>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouterObservation {
    pub name: Label,
    /// Whether the router says what it sees. `None` where it is not to be asked.
    pub answers: Option<Finding>,
    /// One for each node, judged from both ends.
    pub sessions: Vec<SessionObservation>,
    /// Where the router sends packets for the gateway's addresses. `None` where the router, or the whole cluster, is not
    /// asked.
    pub next_hops: Option<Finding>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionObservation {
    pub node: Label,
    pub finding: Finding,
}

/// What belongs to no single node or router.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClusterObservation {
    /// Whether the API server answers.
    pub kubernetes: Finding,
    /// `None` where only some nodes were asked about.
    #[serde(flatten)]
    pub services: Option<ServiceObservation>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceObservation {
    pub etcd: Finding,
    /// The Helm charts that k3s installs.
    pub charts: Finding,
    /// The manifests that k3s applies.
    pub manifests: Finding,
    pub cilium_operator: Finding,
    pub gateway_class: Finding,
    pub gateway: Finding,
    /// These three are `None` if no host name has a certificate.
    pub cert_manager: Option<Finding>,
    pub issuer: Option<Finding>,
    pub certificate: Option<Finding>,
    /// `None` where the page is not served.
    pub hubble: Option<Finding>,
}

impl NodeObservation {
    pub fn findings(&self) -> impl Iterator<Item = (&'static str, &Finding)> {
        let of_host = |name, finding: fn(&HostObservation) -> &Finding| {
            self.host.as_ref().map(|host| (name, finding(host)))
        };
        [
            of_host("answers", |host| &host.answers),
            of_host("k3s", |host| &host.k3s),
            Some(("ready", &self.ready)),
            Some(("cilium", &self.cilium)),
            of_host("disk", |host| &host.disk),
            of_host("clock", |host| &host.clock),
            of_host("system", |host| &host.system),
            self.streamer().map(|finding| ("streamer", finding)),
        ]
        .into_iter()
        .flatten()
    }

    /// Returns what was found out about the streamer. `None` where none runs.
    #[must_use]
    pub fn streamer(&self) -> Option<&Finding> {
        self.host.as_ref()?.streamer.as_ref()
    }
}

impl RouterObservation {
    /// Sessions are named after their nodes.
    pub fn findings(&self) -> impl Iterator<Item = (&str, &Finding)> {
        let answers = self.answers.as_ref().map(|finding| ("answers", finding));
        let sessions = self.sessions.iter().map(|session| (session.node.as_str(), &session.finding));
        let next_hops = self.next_hops.as_ref().map(|finding| ("next hops", finding));
        answers.into_iter().chain(sessions).chain(next_hops)
    }
}

impl ClusterObservation {
    pub fn findings(&self) -> impl Iterator<Item = (&'static str, &Finding)> {
        let services = self.services.iter().flat_map(ServiceObservation::findings);
        [("kubernetes", &self.kubernetes)].into_iter().chain(services)
    }
}

impl ServiceObservation {
    /// In the order of causes: each may be the cause of those behind it.
    fn findings(&self) -> impl Iterator<Item = (&'static str, &Finding)> {
        [
            ("etcd", Some(&self.etcd)),
            ("charts", Some(&self.charts)),
            ("manifests", Some(&self.manifests)),
            ("cilium operator", Some(&self.cilium_operator)),
            ("gateway class", Some(&self.gateway_class)),
            ("gateway", Some(&self.gateway)),
            ("cert-manager", self.cert_manager.as_ref()),
            ("issuer", self.issuer.as_ref()),
            ("certificate", self.certificate.as_ref()),
            ("hubble", self.hubble.as_ref()),
        ]
        .into_iter()
        .filter_map(|(name, finding)| Some((name, finding?)))
    }
}

impl Observation {
    /// Every finding, with its subject and its name there.
    pub fn findings(&self) -> impl Iterator<Item = (&str, &str, &Finding)> {
        let nodes = self
            .nodes
            .iter()
            .flat_map(|node| node.findings().map(|(name, finding)| (node.name.as_str(), name, finding)));
        let routers = self.routers.iter().flat_map(|router| {
            router.findings().map(|(name, finding)| (router.name.as_str(), name, finding))
        });
        let cluster = self.cluster.findings().map(|(name, finding)| ("cluster", name, finding));
        nodes.chain(routers).chain(cluster)
    }

    /// The gravest of all findings: what is wrong weighs more than what is unknown.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.findings().map(|(.., finding)| finding.verdict()).max().unwrap_or(Verdict::Good)
    }
}
