//! What became of each node, and why.

use std::time::Duration;

use serde::{Serialize, Serializer};
use thiserror::Error;

use super::actions::ActionError;
use super::health::FailedCheck;
use super::lines::lines;
use super::quorum::QuorumLost;
use crate::config::cluster::Label;

/// Why a deploy stopped.
#[derive(Debug, Error)]
pub enum Failure {
    #[error("it is not well{}", lines(.0))]
    Unwell(Vec<FailedCheck>),
    #[error(transparent)]
    Quorum(#[from] QuorumLost),
    #[error("its guard is armed already: it goes back in {left} s unless somebody confirms")]
    Armed { left: i64 },
    #[error("it is going back to the system of before at this moment")]
    Reverting,
    #[error("it has not become as good as before within {} s{}", limit.as_secs(), lines_or_silence(missing))]
    NotAsBefore { limit: Duration, missing: Vec<FailedCheck> },
    #[error("its guard was faster: nobody had confirmed in time")]
    TooLate,
    #[error(transparent)]
    Action(#[from] ActionError),
}

fn lines_or_silence(missing: &[FailedCheck]) -> String {
    if missing.is_empty() { ": it does not answer".to_owned() } else { lines(missing) }
}

impl Serialize for Failure {
    /// As its sentence.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Failure {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unwell(_) => "mend that first, or deploy all the same with `--anyway`".to_owned(),
            Self::Quorum(_) => "bring the other servers back first: docs/recovery.md".to_owned(),
            Self::Armed { .. } => {
                "another deploy may be under way; else `rk1-guard confirm` on the node keeps its system, \
                                   and `rk1-guard revert` goes back at once"
                    .to_owned()
            }
            Self::Reverting => "wait until `rk1-guard state` on the node says `reverted`".to_owned(),
            Self::NotAsBefore { .. } | Self::TooLate => {
                "`journalctl` on the node has what it did meanwhile; more time gives `--limit`".to_owned()
            }
            Self::Action(error) => error.hint()?.to_owned(),
        };
        Some(hint)
    }
}

/// What became of a node.
#[derive(Debug, Serialize)]
#[serde(tag = "fate", rename_all = "kebab-case")]
pub enum Fate {
    Deployed {
        /// What nonetheless was not done.
        #[serde(skip_serializing_if = "Option::is_none")]
        but: Option<Failure>,
    },
    /// It ran this system already.
    Unchanged,
    /// Nothing was switched.
    Untouched { why: Failure },
    /// It was switched, and runs the system of before again.
    Reverted {
        why: Failure,
        /// Its guard did it, since it could not be told.
        by_itself: bool,
    },
    /// It was switched, and nothing has been heard of it since its guard's time was up.
    Lost { why: Failure },
    /// Its turn never came.
    NotBegun,
}

impl Fate {
    /// Why the deploy ends here, if it does.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Deployed { but } => but.as_ref(),
            Self::Untouched { why } | Self::Reverted { why, .. } | Self::Lost { why } => Some(why),
            Self::Unchanged | Self::NotBegun => None,
        }
    }

    #[must_use]
    pub fn words(&self) -> &'static str {
        match self {
            Self::Deployed { .. } => "deployed",
            Self::Unchanged => "unchanged: it runs this system already",
            Self::Untouched { .. } => "untouched",
            Self::Reverted { by_itself: false, .. } => "reverted: it runs the system of before",
            Self::Reverted { by_itself: true, .. } => "reverted by its guard: it runs the system of before",
            Self::Lost { .. } => "lost: it does not answer",
            Self::NotBegun => "not begun",
        }
    }
}

/// What became of all, in the order of the plan.
#[derive(Debug)]
pub struct Report(pub Vec<(Label, Fate)>);

impl Report {
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.0.iter().all(|(_, fate)| fate.failure().is_none())
    }
}
