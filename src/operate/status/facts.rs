//! What the probes bring, not judged yet.

use std::collections::BTreeMap;
use std::net::IpAddr;

use k8s_openapi::jiff::Timestamp;

use super::failure::ProbeError;

pub(super) type Answer<T> = Result<T, ProbeError>;

/// What all probes brought. Nodes and routers stand in the order in which they were asked about.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) nodes: Vec<Answer<NodeFacts>>,
    /// `None`: not to be asked.
    pub(super) routers: Vec<Option<Answer<RouterFacts>>>,
    pub(super) kubernetes: Answer<KubernetesFacts>,
    /// `None`: not served, or not asked about.
    pub(super) page: Option<Answer<PageFacts>>,
}

/// What a node says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NodeFacts {
    /// The word of `systemctl is-active`.
    pub(super) k3s: String,
    pub(super) mounts: Vec<Mount>,
    pub(super) streamers: Vec<StreamerFacts>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mount {
    pub(super) path: String,
    /// `None`: nothing is mounted there.
    pub(super) options: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct StreamerFacts {
    pub(super) unit: String,
    /// The word of `systemctl is-active`.
    pub(super) state: String,
    /// Its figures at two times, some seconds apart. `None` where it serves none.
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
    /// Rows for which the buffer had no room.
    pub(super) rows_dropped: u64,
    pub(super) rows_waiting: u64,
}

/// What a router sees.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RouterFacts {
    /// By the address of the node.
    pub(super) sessions: BTreeMap<IpAddr, RouterSession>,
    /// Where it sends what is for each of the gateway's addresses.
    pub(super) next_hops: BTreeMap<IpAddr, Vec<IpAddr>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RouterSession {
    Established {
        /// In the router's own words.
        uptime: Option<String>,
        /// How many routes it has taken from the node.
        routes: Option<u64>,
    },
    /// In the router's own word.
    Down { state: String },
}

#[derive(Debug)]
pub(super) struct KubernetesFacts {
    /// Address of the API server that answered.
    pub(super) server: String,
    pub(super) nodes: BTreeMap<String, NodeCondition>,
    /// By the node's name: its peers, by their addresses.
    pub(super) peers: Answer<BTreeMap<String, BTreeMap<IpAddr, Peer>>>,
    /// These are `None` where Kubernetes has no such object.
    pub(super) gateway_class: Answer<Option<Conditions>>,
    pub(super) gateway: Answer<Option<GatewayFacts>>,
    pub(super) certificate: Answer<Option<CertificateFacts>>,
}

/// The condition `Ready` of a node.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NodeCondition {
    pub(super) ready: Option<Condition>,
    /// Cordoned.
    pub(super) is_unschedulable: bool,
}

pub(super) type Conditions = BTreeMap<String, Condition>;

/// A condition of an object (`meta/v1` of Kubernetes).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) is_true: bool,
    pub(super) reason: String,
    pub(super) message: String,
}

/// A session as Cilium sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Peer {
    /// In the words of BGP's states (RFC 4271, section 8.2.2), in lower case.
    pub(super) state: String,
    /// Routes that the node announces to it.
    pub(super) advertised: Option<u64>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct GatewayFacts {
    pub(super) conditions: Conditions,
    pub(super) addresses: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct CertificateFacts {
    pub(super) conditions: Conditions,
    pub(super) not_after: Option<Timestamp>,
    pub(super) renewal: Option<Timestamp>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct PageFacts {
    /// Of HTTP.
    pub(super) status: u16,
}
