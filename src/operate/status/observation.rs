//! What was found out about a cluster, as data.

use serde::Serialize;

use crate::config::cluster::Label;

/// The outcome of one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Finding {
    Good {
        what: String,
    },
    Wrong {
        what: String,
        /// Where the cause is likely to be found.
        look_at: String,
    },
    Unknown {
        why: String,
        /// What would make it known. `None` where this follows from another finding, which says it.
        look_at: Option<String>,
    },
}

/// All findings in one word. The order is that of their weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Good,
    Unknown,
    Wrong,
}

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
    /// Whether it answers over ssh.
    pub answers: Finding,
    /// The service.
    pub k3s: Finding,
    /// As Kubernetes sees the node.
    pub ready: Finding,
    /// The data disk and what lives on it.
    pub disk: Finding,
    /// `None` where the cluster has no streamer.
    pub streamer: Option<Finding>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouterObservation {
    pub name: Label,
    /// Whether the router says what it sees. `None` where it is not to be asked.
    pub answers: Option<Finding>,
    /// One for each node, judged from both sides.
    pub sessions: Vec<SessionObservation>,
    /// Where the router sends what is for the gateway's address. `None` where the router, or the whole cluster, is not
    /// asked.
    pub next_hops: Option<Finding>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionObservation {
    pub node: Label,
    pub finding: Finding,
}

/// What is not of one node or router. All but the API server is `None` where only some nodes were asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClusterObservation {
    /// Whether the API server answers.
    pub kubernetes: Finding,
    pub gateway_class: Option<Finding>,
    pub gateway: Option<Finding>,
    pub certificate: Option<Finding>,
    /// `None` also where the page is not served.
    pub hubble: Option<Finding>,
}

impl Finding {
    pub(super) fn good(what: impl Into<String>) -> Self {
        Self::Good { what: what.into() }
    }

    pub(super) fn wrong(what: impl Into<String>, look_at: impl Into<String>) -> Self {
        Self::Wrong { what: what.into(), look_at: look_at.into() }
    }

    pub(super) fn unknown(why: impl Into<String>, look_at: impl Into<String>) -> Self {
        Self::Unknown { why: why.into(), look_at: Some(look_at.into()) }
    }

    /// Unknown because of something that another finding says.
    pub(super) fn unknown_too(why: impl Into<String>) -> Self {
        Self::Unknown { why: why.into(), look_at: None }
    }

    /// One finding of two, the other of which is about IPv6: what is good or wrong with both, else the graver one.
    pub(super) fn beside_ipv6(self, ipv6: Self) -> Self {
        match (self, ipv6) {
            (Self::Good { what }, Self::Good { what: ipv6 }) => Self::good(format!("{what}; IPv6: {ipv6}")),
            (Self::Wrong { what, look_at }, Self::Wrong { what: ipv6, .. }) => {
                Self::wrong(format!("{what}; IPv6: {ipv6}"), look_at)
            }
            (ipv4, Self::Wrong { what, look_at }) if ipv4.verdict() < Verdict::Wrong => {
                Self::wrong(format!("IPv6: {what}"), look_at)
            }
            (Self::Good { .. }, Self::Unknown { why, look_at }) => {
                Self::Unknown { why: format!("IPv6: {why}"), look_at }
            }
            (ipv4, _) => ipv4,
        }
    }

    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Good { .. } => Verdict::Good,
            Self::Wrong { .. } => Verdict::Wrong,
            Self::Unknown { .. } => Verdict::Unknown,
        }
    }

    #[must_use]
    pub fn is_good(&self) -> bool {
        self.verdict() == Verdict::Good
    }
}

impl NodeObservation {
    pub fn findings(&self) -> impl Iterator<Item = (&'static str, &Finding)> {
        let always =
            [("answers", &self.answers), ("k3s", &self.k3s), ("ready", &self.ready), ("disk", &self.disk)];
        always.into_iter().chain(self.streamer.as_ref().map(|finding| ("streamer", finding)))
    }
}

impl RouterObservation {
    /// Those of sessions are named after their nodes.
    pub fn findings(&self) -> impl Iterator<Item = (&str, &Finding)> {
        let answers = self.answers.as_ref().map(|finding| ("answers", finding));
        let sessions = self.sessions.iter().map(|session| (session.node.as_str(), &session.finding));
        let next_hops = self.next_hops.as_ref().map(|finding| ("next hops", finding));
        answers.into_iter().chain(sessions).chain(next_hops)
    }
}

impl ClusterObservation {
    pub fn findings(&self) -> impl Iterator<Item = (&'static str, &Finding)> {
        let of_all = [
            ("gateway class", &self.gateway_class),
            ("gateway", &self.gateway),
            ("certificate", &self.certificate),
            ("hubble", &self.hubble),
        ];
        let of_all = of_all.into_iter().filter_map(|(name, finding)| Some((name, finding.as_ref()?)));
        [("kubernetes", &self.kubernetes)].into_iter().chain(of_all)
    }
}

impl Observation {
    /// Every finding: what it is about, what it is called there, and itself.
    pub fn findings(&self) -> impl Iterator<Item = (&str, &str, &Finding)> {
        let of_nodes = self
            .nodes
            .iter()
            .flat_map(|node| node.findings().map(|(name, finding)| (node.name.as_str(), name, finding)));
        let of_routers = self.routers.iter().flat_map(|router| {
            router.findings().map(|(name, finding)| (router.name.as_str(), name, finding))
        });
        let of_cluster = self.cluster.findings().map(|(name, finding)| ("cluster", name, finding));
        of_nodes.chain(of_routers).chain(of_cluster)
    }

    /// The gravest of all findings: what is wrong weighs more than what is unknown.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.findings().map(|(.., finding)| finding.verdict()).max().unwrap_or(Verdict::Good)
    }
}
