//! The result of each node, and why.

use std::time::Duration;

use serde::{Serialize, Serializer};
use thiserror::Error;

use super::actions::{ActionError, lines};
use super::health::FailedCheck;
use super::quorum::QuorumLost;
use super::reboot::RebootReasons;
use crate::config::cluster::{Label, UnsupportedStep};
use crate::config::diagnostics::Mistake;

/// Why a deploy stopped.
#[derive(Debug, Error)]
pub enum Failure {
    #[error("checks failed before the deploy{}", lines(.0))]
    FailedChecks(Vec<FailedCheck>),
    #[error(transparent)]
    Quorum(#[from] QuorumLost),
    #[error("the guard is armed already: it rolls the node back in {left} s unless that is confirmed")]
    Armed { left: i64 },
    #[error("the node is rolling back to the previous system")]
    Reverting,
    #[error("checks that passed before still fail after {} s{}", limit.as_secs(), lines_or_silence(missing))]
    NotHealthy { limit: Duration, missing: Vec<FailedCheck> },
    #[error("the new system did not become healthy: the node has booted the previous one")]
    NotBooted,
    #[error("NixOS refuses to switch to the new system, because it differs in {0}")]
    NeedsReboot(RebootReasons),
    #[error("the guard rolled back before the deploy could confirm")]
    GuardWasFaster,
    #[error(transparent)]
    UnsupportedStep(UnsupportedStep),
    #[error(transparent)]
    Action(#[from] ActionError),
}

fn lines_or_silence(missing: &[FailedCheck]) -> String {
    if missing.is_empty() { ": the node does not answer".to_owned() } else { lines(missing) }
}

impl Serialize for Failure {
    /// Writes it as its sentence.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Failure {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::FailedChecks(_) => "fix that first, or deploy anyway with `--anyway`".to_owned(),
            Self::Quorum(_) => "bring the other servers back first: docs/recovery.md".to_owned(),
            Self::Armed { .. } => {
                "another deploy may be under way; if not, `rk1-guard confirm` on the node keeps its system, and \
                 `rk1-guard revert` rolls it back at once"
                    .to_owned()
            }
            Self::Reverting => "wait until `rk1-guard state` on the node prints `state=reverted`".to_owned(),
            Self::NotHealthy { .. } | Self::GuardWasFaster => {
                "`journalctl` on the node says what happened; use `--limit` to allow more time".to_owned()
            }
            Self::NotBooted => {
                "`journalctl --boot=-1` on the node shows the last boot, and `tpi uart` its console".to_owned()
            }
            Self::NeedsReboot(_) => "deploy it with `--reboot`".to_owned(),
            Self::UnsupportedStep(step) => step.hint()?,
            Self::Action(error) => error.hint()?.to_owned(),
        };
        Some(hint)
    }
}

/// The result of one node.
#[derive(Debug, Serialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum NodeResult {
    Deployed {
        /// What could not be done afterwards.
        #[serde(skip_serializing_if = "Option::is_none")]
        but: Option<Failure>,
    },
    /// It ran this system already.
    Unchanged,
    /// Nothing was switched.
    Untouched { why: Failure },
    /// It was switched, and runs the previous system again.
    RolledBack {
        why: Failure,
        /// Whether its guard did that, because the node could not be told.
        by_itself: bool,
    },
    /// It was switched, and has not answered since the time of its guard was up.
    Lost { why: Failure },
    /// An earlier node failed.
    NotStarted,
}

impl NodeResult {
    /// Returns why the deploy ends here, if it does.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Deployed { but } => but.as_ref(),
            Self::Untouched { why } | Self::RolledBack { why, .. } | Self::Lost { why } => Some(why),
            Self::Unchanged | Self::NotStarted => None,
        }
    }

    #[must_use]
    pub fn words(&self) -> &'static str {
        match self {
            Self::Deployed { .. } => "deployed",
            Self::Unchanged => "unchanged: this system runs already",
            Self::Untouched { .. } => "untouched",
            Self::RolledBack { by_itself: false, .. } => "rolled back to the previous system",
            Self::RolledBack { by_itself: true, .. } => "rolled back to the previous system by its guard",
            Self::Lost { .. } => "lost: the node does not answer",
            Self::NotStarted => "not started",
        }
    }
}

/// The results of all nodes, in the order of the plan.
#[derive(Debug)]
pub struct Results(pub Vec<(Label, NodeResult)>);

impl Results {
    /// Whether the user has interrupted the deploy.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        let failures = self.0.iter().filter_map(|(_, result)| result.failure());
        failures.into_iter().any(|failure| matches!(failure, Failure::Action(ActionError::Cancelled)))
    }

    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.0.iter().all(|(_, result)| result.failure().is_none())
    }
}
