//! How the cluster is: asked of its nodes, its routers, Kubernetes and the gateway, all at once.
//!
//! [`observe`] asks (`probe`), what comes back is judged (`judge`) and can be shown ([`screen`]).

mod facts;
mod failure;
mod judge;
mod observation;
mod probe;
pub mod screen;

use std::path::PathBuf;
use std::time::Duration;

pub use failure::ProbeError;
pub use observation::{
    ClusterObservation, Finding, NodeObservation, Observation, RouterObservation, SessionObservation, Verdict,
};
pub use probe::kubernetes::{Connection, connect};

use k8s_openapi::jiff::Timestamp;

use crate::config::cluster::{Cluster, Label};

/// By what, and for how long, those who know are asked.
#[derive(Debug, Clone)]
pub struct Access {
    /// The file by which Kubernetes is reached. `None`: that of `KUBECONFIG`, else the one that a server has.
    pub kubeconfig: Option<PathBuf>,
    /// What the paths of secrets are relative to: the folder of `cluster.toml`.
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

/// Asks everybody at once what `scope` is about. Needs a runtime of tokio with time and I/O.
pub async fn observe(cluster: &Cluster, access: &Access, scope: &Scope) -> Observation {
    let facts = probe::ask(cluster, access, scope).await;
    judge::judge(cluster, scope, &facts, Timestamp::now())
}
