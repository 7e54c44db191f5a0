//! The state of the cluster: its nodes, its routers, Kubernetes and the gateway are asked, all at once.
//!
//! [`observe`] asks (`probe`) and judges the answers (`judge`); [`screen`] shows the result.

mod error;
mod facts;
mod finding;
mod judge;
mod probe;
pub mod screen;

use std::path::PathBuf;
use std::time::Duration;

pub use error::ProbeError;
pub use finding::{
    Cause, ClusterObservation, Finding, NodeObservation, Observation, RouterObservation, ServiceObservation,
    SessionObservation, Verdict,
};
use k8s_openapi::jiff::Timestamp;
pub use probe::connection::{Connection, connect};

use crate::config::cluster::{Cluster, Label};

/// How, and for how long, nodes, routers and Kubernetes are asked.
#[derive(Debug, Clone)]
pub struct Access {
    /// The kubeconfig that the user names. `None`: the one of `KUBECONFIG`, else the one of a server.
    pub kubeconfig: Option<PathBuf>,
    /// The folder of `cluster.toml`, to which the paths of secrets are relative.
    pub folder: PathBuf,
    /// The longest that one probe may take.
    pub limit: Duration,
}

/// What is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    Cluster,
    /// These nodes and their sessions.
    Nodes(Vec<Label>),
}

impl Scope {
    #[must_use]
    pub fn has(&self, node: &Label) -> bool {
        match self {
            Self::Cluster => true,
            Self::Nodes(nodes) => nodes.contains(node),
        }
    }
}

/// Asks everything in `scope` at once. Needs a runtime of tokio with time and I/O.
pub async fn observe(cluster: &Cluster, access: &Access, scope: &Scope) -> Observation {
    let facts = probe::ask(cluster, access, scope).await;
    judge::judge(cluster, scope, &facts, Timestamp::now())
}
