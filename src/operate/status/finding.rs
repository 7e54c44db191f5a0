//! The result of one check, as data.

use serde::Serialize;

use crate::common::printable::printable;

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
    RouterSilent,
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
