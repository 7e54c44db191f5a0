//! What the probes found, not judged yet.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use k8s_openapi::jiff::Timestamp;

use super::error::ProbeError;
use crate::operate::routing_daemon::Session;

/// What a probe found, or why it found nothing.
pub(super) type Probed<T> = Result<T, ProbeError>;

/// What all probes found. Nodes and routers are in the order in which they were asked about.
#[derive(Debug)]
pub(super) struct Facts {
    /// In the order of the nodes asked about. `None` for a machine that is not asked.
    pub(super) nodes: Vec<Option<Probed<NodeFacts>>>,
    /// `None` for a router that is not to be asked.
    pub(super) routers: Vec<Option<Probed<RouterFacts>>>,
    pub(super) kubernetes: Probed<KubernetesFacts>,
    /// `None` where no page is served, or none was asked for.
    pub(super) page: Option<Probed<PageFacts>>,
}

/// What a node says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NodeFacts {
    /// The output of `systemctl is-active`.
    pub(super) k3s: String,
    pub(super) mounts: Vec<Mount>,
    /// Its IPv4 addresses, where a DHCP server assigns them.
    pub(super) addresses: Option<Vec<Ipv4Addr>>,
    /// How far the node's clock is ahead of this machine's, in seconds. 0 while it may be right.
    pub(super) clock_ahead: i64,
    pub(super) system: SystemFacts,
    /// `None` on an agent, and where etcd does not answer.
    pub(super) etcd: Option<EtcdFacts>,
    pub(super) streamers: Vec<StreamerFacts>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    pub(super) path: String,
    /// The systemd unit of the disk.
    pub(super) unit: String,
    /// `None` where nothing is mounted.
    pub(super) options: Option<String>,
}

/// Store paths of what runs and of what should run. Empty where the node did not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SystemFacts {
    pub(super) running: String,
    /// What the profile points to: the next boot starts it.
    pub(super) profile: String,
    pub(super) booted_kernel: String,
    pub(super) running_kernel: String,
    /// How many entries of the boot menu name a system that the garbage collector has removed.
    pub(super) lost_entries: usize,
}

/// What the etcd of a server says about itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct EtcdFacts {
    pub(super) has_leader: bool,
    /// A learner copies the data and has no vote yet.
    pub(super) is_learner: bool,
    /// The mean time of the disk's `fsync` between two looks, in milliseconds. `None` where nothing was written.
    pub(super) fsync: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StreamerFacts {
    pub(super) unit: String,
    /// The output of `systemctl is-active`.
    pub(super) state: String,
    /// Its counters at two times, some seconds apart. `None` where it serves none.
    pub(super) readings: Option<[Reading; 2]>,
}

/// What the streamer has counted since it was started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) is_attached: bool,
    pub(super) packets: u64,
    /// Packets that were to be shown and found the ring full.
    pub(super) lost: u64,
    pub(super) rows_delivered: u64,
    /// Rows that Grafana did not take.
    pub(super) rows_refused: u64,
    /// Rows that found the buffer full.
    pub(super) rows_dropped: u64,
    pub(super) rows_waiting: u64,
}

/// What a router sees.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RouterFacts {
    /// By the address of the node.
    pub(super) sessions: BTreeMap<IpAddr, Session>,
    /// Where it sends packets for each of the gateway's addresses.
    pub(super) next_hops: BTreeMap<IpAddr, Vec<IpAddr>>,
}

/// What the API server has where an object is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lookup<T> {
    Found(T),
    NoObject,
    /// The cluster does not know the kind: what defines it is not installed.
    NoKind,
}

impl<T> Lookup<T> {
    pub(super) fn map<U>(self, read: impl FnOnce(T) -> U) -> Lookup<U> {
        match self {
            Self::Found(found) => Lookup::Found(read(found)),
            Self::NoObject => Lookup::NoObject,
            Self::NoKind => Lookup::NoKind,
        }
    }

    pub(super) fn found(&self) -> Option<&T> {
        match self {
            Self::Found(found) => Some(found),
            Self::NoObject | Self::NoKind => None,
        }
    }
}

#[derive(Debug)]
pub(super) struct KubernetesFacts {
    /// The address of the API server that answered.
    pub(super) server: String,
    pub(super) nodes: BTreeMap<String, NodeObject>,
    /// The end of the first certificate of k3s that is about to expire, by node.
    pub(super) expiring: Probed<BTreeMap<String, Option<Timestamp>>>,
    /// Pods of `kube-system` and of `cert-manager`.
    pub(super) pods: Probed<Vec<PodFacts>>,
    pub(super) cilium_nodes: Probed<Lookup<BTreeMap<String, CiliumNode>>>,
    pub(super) bgp: BgpFacts,
    /// `None` where only some nodes were asked about.
    pub(super) services: Option<ServiceFacts>,
}

/// What Cilium says about BGP.
#[derive(Debug)]
pub(super) struct BgpFacts {
    /// The peers of each node, by their addresses.
    pub(super) peers: Probed<Lookup<BTreeMap<String, BTreeMap<IpAddr, Peer>>>>,
    pub(super) cluster_configs: Probed<Lookup<BTreeMap<String, Conditions>>>,
    pub(super) peer_configs: Probed<Lookup<BTreeMap<String, PeerConfig>>>,
    /// The labels of each `CiliumBGPAdvertisement`.
    pub(super) advertisements: Probed<Lookup<Vec<Labels>>>,
}

/// A `CiliumNode`: an agent makes the one of its node, and the operator gives it ranges for pods.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CiliumNode {
    /// Why the operator has no range for it.
    pub(super) refusal: Option<String>,
}

/// What stands between k3s and a page that is served.
#[derive(Debug)]
pub(super) struct ServiceFacts {
    pub(super) charts: Probed<Lookup<BTreeMap<String, Chart>>>,
    /// k3s add-ons that could not be applied, with the reason.
    pub(super) failed_addons: Probed<BTreeMap<String, String>>,
    pub(super) gateway_class: Probed<Lookup<Conditions>>,
    /// In the order of the cluster's gateways.
    pub(super) gateways: Vec<GatewayLookups>,
}

/// A gateway and its certificate.
#[derive(Debug)]
pub(super) struct GatewayLookups {
    pub(super) gateway: Probed<Lookup<GatewayFacts>>,
    /// Conditions of the Service that Cilium makes for the gateway.
    pub(super) service: Probed<Lookup<Conditions>>,
    /// `None` if the gateway's host names are served over HTTP.
    pub(super) certificate: Option<CertificateLookups>,
}

#[derive(Debug)]
pub(super) struct CertificateLookups {
    pub(super) issuer: Probed<Lookup<Conditions>>,
    pub(super) certificate: Probed<Lookup<CertificateFacts>>,
    /// The newest of each kind that belongs to the certificate.
    pub(super) request: Probed<Option<Conditions>>,
    pub(super) order: Probed<Option<AcmeStep>>,
    pub(super) challenge: Probed<Option<AcmeStep>>,
}

/// What Kubernetes knows about a node.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NodeObject {
    pub(super) conditions: Conditions,
    pub(super) is_cordoned: bool,
    /// The version of its kubelet, such as `v1.36.4+k3s1`. Empty where it has not said so yet.
    pub(super) version: String,
}

pub(super) type Conditions = BTreeMap<String, Condition>;
pub(super) type Labels = BTreeMap<String, String>;

/// A condition of an object (`meta/v1` of Kubernetes).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) is_true: bool,
    pub(super) reason: String,
    pub(super) message: String,
}

impl Condition {
    /// The reason and the message, as far as there are any.
    pub(super) fn words(&self) -> String {
        match (self.reason.as_str(), self.message.as_str()) {
            (reason, "") => reason.to_owned(),
            ("", message) => message.to_owned(),
            (reason, message) => format!("{reason}: {message}"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PodFacts {
    pub(super) name: String,
    pub(super) namespace: String,
    /// In the notation of Kubernetes, whose order is that of time.
    pub(super) created: String,
    pub(super) node: Option<String>,
    pub(super) labels: Labels,
    pub(super) is_ready: bool,
    /// Its containers have ended, successfully or not.
    pub(super) is_over: bool,
    /// Why it is not ready, where it says so.
    pub(super) trouble: Option<PodTrouble>,
}

impl PodFacts {
    /// The job that made it.
    pub(super) fn job(&self) -> Option<&String> {
        self.labels.get("batch.kubernetes.io/job-name").or_else(|| self.labels.get("job-name"))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PodTrouble {
    ImagePull { image: String, message: String },
    CrashLoop { container: String, message: String },
    Unschedulable { message: String },
    Other { message: String },
}

/// A session as Cilium sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Peer {
    /// A state of BGP (RFC 4271, section 8.2.2), in lower case.
    pub(super) state: String,
    /// How many routes the node announces to it.
    pub(super) advertised: Option<u64>,
    /// The `CiliumBGPPeerConfig` is named after the peer.
    pub(super) name: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PeerConfig {
    pub(super) conditions: Conditions,
    /// The labels that each address family selects its advertisements by.
    pub(super) selectors: Vec<Labels>,
}

/// A `HelmChart` of k3s.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chart {
    /// Whether its job has failed or keeps failing.
    pub(super) is_failing: bool,
    pub(super) is_installed: bool,
    pub(super) job: Option<String>,
    /// The last line of the log of its job's newest pod.
    pub(super) last_line: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct GatewayFacts {
    pub(super) conditions: Conditions,
    pub(super) addresses: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct CertificateFacts {
    pub(super) conditions: Conditions,
    pub(super) issuer: String,
    pub(super) not_after: Option<Timestamp>,
    pub(super) renewal: Option<Timestamp>,
}

/// An Order or a Challenge of cert-manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AcmeStep {
    pub(super) name: String,
    /// `pending`, `valid`, `invalid`, `errored` and so on. Empty where it has none yet.
    pub(super) state: String,
    pub(super) reason: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct PageFacts {
    /// The status of HTTP.
    pub(super) status: u16,
}
