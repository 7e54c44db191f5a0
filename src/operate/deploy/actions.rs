//! What a deploy can do in the world, and how that fails.

use std::io;
use std::time::Duration;

use thiserror::Error;

use super::command::Rebuild;
use super::guard::{Answer, Garbled, Order};
use super::lines::lines;
use super::plan::Drain;
use crate::config::cluster::Node;
use crate::operate::status::{Observation, ProbeError};

/// The world, or what a test has in its place.
pub(crate) trait Actions {
    /// The node, its sessions, and whether Kubernetes answers.
    async fn observe(&self, node: &Node) -> Result<Observation, ActionError>;
    /// Whether the server's member of etcd takes part in decisions.
    async fn etcd(&self, server: &Node) -> Result<(), ActionError>;
    /// Returns the system's store path, where `nixos-rebuild` says it.
    async fn rebuild(&self, node: &Node, rebuild: Rebuild) -> Result<Option<String>, ActionError>;
    async fn guard(&self, node: &Node, order: Order) -> Result<(), ActionError>;
    async fn guard_state(&self, node: &Node) -> Result<Answer, ActionError>;
    /// Returns whether the node was not cordoned before.
    async fn cordon(&self, node: &Node) -> Result<bool, ActionError>;
    async fn uncordon(&self, node: &Node) -> Result<(), ActionError>;
    async fn drain(&self, node: &Node, drain: Drain) -> Result<(), ActionError>;
    async fn pause(&self, time: Duration);
    /// Whether the operator has had enough. What is under way ends with [`ActionError::Cancelled`].
    fn is_cancelled(&self) -> bool;
}

#[derive(Debug, Error)]
pub enum ActionError {
    #[error("cancelled")]
    Cancelled,
    #[error("cannot run `{program}`")]
    Unrunnable { program: &'static str, source: io::Error },
    #[error("`{command}` {status}{said}")]
    Failed { command: String, status: String, said: String },
    #[error("`{command}` has not ended within {} s", limit.as_secs())]
    Late { command: String, limit: Duration },
    #[error("the node has no `rk1-guard`, so it could not go back by itself")]
    NoGuard,
    #[error(transparent)]
    Garbled(#[from] Garbled),
    #[error("no API server can be asked")]
    Unreachable(#[from] ProbeError),
    #[error("Kubernetes refuses or does not answer")]
    Kubernetes(#[from] kube::Error),
    #[error("draining would lose pods or their data{}", lines(.0))]
    WouldLose(Vec<String>),
    #[error("pods are still there after {} s{}", limit.as_secs(), lines(waits_for))]
    Undrained { limit: Duration, waits_for: Vec<String> },
}

impl ActionError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unrunnable { program: "nixos-rebuild", .. } => {
                "it comes with NixOS; elsewhere: `nix shell nixpkgs#nixos-rebuild-ng`"
            }
            Self::Unrunnable { .. } => "install OpenSSH's client",
            Self::NoGuard => {
                "its system may be older than the guard: switch it by `nixos-rebuild` itself this once"
            }
            Self::WouldLose(_) => {
                "end such pods yourself; `--delete-emptydir-data` gives up what lies in an emptyDir"
            }
            Self::Undrained { .. } => "see their PodDisruptionBudgets, or give more time by `--drain-limit`",
            Self::Failed { said, .. } if said.is_empty() => "what it said stands above",
            Self::Late { .. }
            | Self::Failed { .. }
            | Self::Cancelled
            | Self::Garbled(_)
            | Self::Unreachable(_)
            | Self::Kubernetes(_) => return None,
        })
    }
}
