//! What is asked about, and how.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::cluster::Label;

/// How, and for how long, nodes, routers and Kubernetes are asked.
#[derive(Debug, Clone)]
pub struct ProbeOptions {
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
