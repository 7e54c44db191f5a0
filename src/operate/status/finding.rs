//! What was found out about a cluster, as data.

use serde::Serialize;

use crate::common::printable::printable;
use crate::config::cluster::Label;

/// The result of one check. Its texts are safe to print.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Finding {
    Good {
        what: String,
    },
    Wrong {
        what: String,
        cause: Cause,
        /// The object of Kubernetes, the unit or the file that says so.
        #[serde(skip_serializing_if = "Option::is_none")]
        object: Option<String>,
        /// Where to look further: a command first.
        look_at: String,
    },
    Unknown {
        why: String,
        /// What would make it known. `None` where this follows from another finding, which says it.
        look_at: Option<String>,
    },
}

/// The first cause of what is wrong, for programs. `docs/status.md` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    // Nodes
    NodeSilent,
    NodeNotReady,
    NodeNotRegistered,
    K3sNotRunning,
    K3sCertificatesExpire,
    ClockSkew,
    DiskNotMounted,
    DiskReadOnly,
    NodePressure,
    NetworkNotReady,
    SystemNotRunning,
    StreamerNotRunning,
    StreamerDetached,
    StreamerLoses,
    // Pods
    ImagePull,
    CrashLoop,
    Unschedulable,
    PodNotReady,
    PodMissing,
    // What Cilium's agent and operator agree on for a node
    AgentNotRegistered,
    NoPodRange,
    // BGP
    NoPeer,
    NoSession,
    OneSided,
    NotAnnounced,
    RoutesRefused,
    AdvertisementNotSelected,
    PasswordSecretMissing,
    NoNextHop,
    MissingNextHop,
    ForeignNextHop,
    // The cluster
    ApiServerSilent,
    EtcdMemberLost,
    EtcdNoLeader,
    EtcdLearner,
    EtcdSlow,
    ChartFailed,
    ChartMissing,
    KindNotInstalled,
    ManifestNotApplied,
    ObjectMissing,
    NotAccepted,
    AddressNotAssigned,
    OtherAddress,
    NotProgrammed,
    IssuerNotReady,
    SolverSecretMissing,
    AcmeUnreachable,
    RequestFailed,
    OrderFailed,
    ChallengeFailed,
    ChallengePending,
    CertificateNotReady,
    CertificateExpired,
    RenewalOverdue,
    OtherIssuer,
    Untrusted,
    PageRefused,
    GatewaySilent,
    /// Something that this machine, or the network around it, lacks.
    Environment,
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
    /// The systemd unit, and the certificates of k3s.
    pub k3s: Finding,
    /// The node's conditions in Kubernetes.
    pub ready: Finding,
    /// Cilium's agent on it.
    pub cilium: Finding,
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

impl Finding {
    pub(crate) fn good(what: impl AsRef<str>) -> Self {
        Self::Good { what: printable(what.as_ref()) }
    }

    pub(crate) fn wrong(cause: Cause, what: impl AsRef<str>, look_at: impl AsRef<str>) -> Self {
        let (what, look_at) = (printable(what.as_ref()), printable(look_at.as_ref()));
        Self::Wrong { what, cause, object: None, look_at }
    }

    /// Names the object that says what is wrong.
    pub(super) fn of_object(mut self, name: impl AsRef<str>) -> Self {
        if let Self::Wrong { object, .. } = &mut self {
            *object = Some(printable(name.as_ref()));
        }
        self
    }

    pub(crate) fn unknown(why: impl AsRef<str>, look_at: impl AsRef<str>) -> Self {
        Self::Unknown { why: printable(why.as_ref()), look_at: Some(printable(look_at.as_ref())) }
    }

    /// Unknown, or not as it should be, because of something that another finding says.
    pub(super) fn follows(why: impl AsRef<str>) -> Self {
        Self::Unknown { why: printable(why.as_ref()), look_at: None }
    }

    /// Joins a finding about IPv4 with one about IPv6. Of two that differ in weight the graver one remains.
    pub(super) fn beside_ipv6(self, ipv6: Self) -> Self {
        match (self, ipv6) {
            (Self::Good { what }, Self::Good { what: ipv6 }) => Self::good(format!("{what}; IPv6: {ipv6}")),
            (Self::Wrong { what, cause, object, look_at }, Self::Wrong { what: ipv6, .. }) => {
                Self::Wrong { what: format!("{what}; IPv6: {ipv6}"), cause, object, look_at }
            }
            (ipv4, Self::Wrong { what, cause, object, look_at }) if ipv4.verdict() < Verdict::Wrong => {
                Self::Wrong { what: format!("IPv6: {what}"), cause, object, look_at }
            }
            (Self::Unknown { why, look_at: None }, Self::Unknown { why: ipv6, look_at: None })
                if why != ipv6 =>
            {
                Self::follows(format!("{why}; IPv6: {ipv6}"))
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

    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.verdict() == Verdict::Wrong
    }

    pub(super) fn is_caused_by(&self, expected: Cause) -> bool {
        matches!(self, Self::Wrong { cause, .. } if *cause == expected)
    }
}

impl NodeObservation {
    pub fn findings(&self) -> impl Iterator<Item = (&'static str, &Finding)> {
        let always = [
            ("answers", &self.answers),
            ("k3s", &self.k3s),
            ("ready", &self.ready),
            ("cilium", &self.cilium),
            ("disk", &self.disk),
            ("clock", &self.clock),
            ("system", &self.system),
        ];
        always.into_iter().chain(self.streamer.as_ref().map(|finding| ("streamer", finding)))
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
