//! The state of the cluster: its nodes, its routers, Kubernetes and the gateway are asked, all at once.
//!
//! [`observe`] asks (`probe`) and judges the answers (`judge`); [`screen`] shows the result.

mod error;
mod facts;
mod finding;
mod judge;
mod observation;
mod probe;
mod scope;
pub mod screen;

pub use error::ProbeError;
pub use finding::{Cause, Finding, Verdict};
use k8s_openapi::jiff::Timestamp;
pub use observation::{
    ClusterObservation, HostObservation, NodeObservation, Observation, RouterObservation, ServiceObservation,
    SessionObservation,
};
pub use probe::connection::{Connection, connect};
pub use scope::{ProbeOptions, Scope};

use crate::config::cluster::Cluster;

/// Asks everything in `scope` at once. Needs a runtime of tokio with time and I/O.
pub async fn observe(cluster: &Cluster, options: &ProbeOptions, scope: &Scope) -> Observation {
    let facts = probe::ask(cluster, options, scope).await;
    judge::judge(cluster, scope, &facts, Timestamp::now())
}
