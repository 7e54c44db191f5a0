//! What a deploy does to nodes, and how that fails.

use std::fmt::{Display, Write};
use std::io;
use std::time::Duration;

use thiserror::Error;

use super::command::Rebuild;
use super::guard::{GuardStatus, Order, UnreadableState};
use super::plan::Drain;
use super::reboot::RebootReasons;
use super::secrets::Replaced;
use crate::config::cluster::{Node, Running};
use crate::operate::status::{Observation, ProbeError};

/// Everything outside the program. Tests have a stand-in.
pub(crate) trait Actions {
    /// Checks the node, its sessions, and whether Kubernetes answers.
    async fn observe(&self, node: &Node) -> Result<Observation, ActionError>;
    /// Checks that the server's member of etcd takes part in decisions.
    async fn etcd(&self, server: &Node) -> Result<(), ActionError>;
    /// Builds or switches. Returns the system's store path, if `nixos-rebuild` prints it.
    async fn rebuild(&self, node: &Node, rebuild: Rebuild) -> Result<Option<String>, ActionError>;
    /// Returns the versions that run, as far as they are known.
    async fn running(&self, node: &Node) -> Result<Running, ActionError>;
    /// Replaces the node's secrets that differ from the operator's.
    async fn replace_secrets(&self, node: &Node) -> Result<Replaced, ActionError>;
    async fn guard(&self, node: &Node, order: Order) -> Result<(), ActionError>;
    /// Returns what of the system, named by its store path, takes effect after a reboot only.
    async fn needs_reboot(&self, node: &Node, system: &str) -> Result<RebootReasons, ActionError>;
    /// Asks the user whether to reboot the node. No, where nobody can answer.
    async fn may_reboot(&self, node: &Node, reasons: &RebootReasons) -> bool;
    async fn guard_state(&self, node: &Node) -> Result<GuardStatus, ActionError>;
    /// Cordons the node. Returns false if it was cordoned already.
    async fn cordon(&self, node: &Node) -> Result<bool, ActionError>;
    async fn uncordon(&self, node: &Node) -> Result<(), ActionError>;
    async fn drain(&self, node: &Node, drain: Drain) -> Result<(), ActionError>;
    async fn pause(&self, time: Duration);
    /// Whether the user has interrupted the deploy. Actions under way end with [`ActionError::Cancelled`].
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
    #[error("`{command}` ended with status 255: {said}")]
    Disconnected { command: String, said: String },
    #[error("`{command}` did not end within {} s", limit.as_secs())]
    Late { command: String, limit: Duration },
    #[error("the node has no `rk1-guard`, so it could not roll back by itself")]
    NoGuard,
    #[error(transparent)]
    UnreadableState(#[from] UnreadableState),
    #[error("this machine has no random numbers")]
    NoRandom,
    #[error("no API server answers")]
    Unreachable(#[from] ProbeError),
    #[error("a request to Kubernetes failed")]
    Kubernetes(#[from] kube::Error),
    #[error("draining would lose pods or their data{}", lines(.0))]
    WouldLose(Vec<String>),
    #[error("pods are still there after {} s{}", limit.as_secs(), lines(waits_for))]
    Undrained { limit: Duration, waits_for: Vec<String> },
}

impl ActionError {
    /// Returns what to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unrunnable { program: "nixos-rebuild", .. } => {
                "it is part of NixOS; elsewhere use `nix shell nixpkgs#nixos-rebuild-ng`"
            }
            Self::Unrunnable { .. } => "install the OpenSSH client",
            Self::NoGuard => {
                "its system may be older than the guard: switch it once with `nixos-rebuild` itself"
            }
            Self::WouldLose(_) => {
                "delete such pods yourself; `--delete-emptydir-data` gives up the data in an emptyDir"
            }
            Self::Undrained { .. } => {
                "check their PodDisruptionBudgets, or use `--drain-limit` to allow more time"
            }
            Self::Failed { said, .. } if said.is_empty() => "its output is above",
            Self::Late { .. }
            | Self::Disconnected { .. }
            | Self::Failed { .. }
            | Self::Cancelled
            | Self::NoRandom
            | Self::UnreadableState(_)
            | Self::Unreachable(_)
            | Self::Kubernetes(_) => return None,
        })
    }
}

/// Returns what an error lists, each on an indented line of its own below it.
pub(super) fn lines<T: Display>(what: &[T]) -> String {
    what.iter().fold(String::new(), |mut text, line| {
        // Writing to a string does not fail.
        let _ = write!(text, "\n  {line}");
        text
    })
}
