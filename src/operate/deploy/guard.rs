//! Orders to the guard on a node (`modules/guard`), and its answers.

use std::time::Duration;

use thiserror::Error;

/// An order to the guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Roll back after this time.
    Arm(Duration, Previous),
    /// Boot the system of the profile, once until it is confirmed.
    Reboot,
    Confirm,
    /// Roll back now.
    Revert,
}

/// The system to which the guard rolls back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Previous {
    Running,
    /// The one that was booted, whose kernel still runs.
    Booted,
}

/// The state of the guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GuardState {
    /// It has never been armed.
    Idle,
    /// The node rolls back in `left` seconds.
    Armed {
        left: i64,
    },
    Reverting,
    Reverted,
    Confirmed,
}

/// The answer to `rk1-guard state`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GuardStatus {
    pub state: GuardState,
    /// Store path of the running system.
    pub running: String,
    /// Store path of the booted system, whose kernel runs. An older guard does not tell it.
    pub booted: Option<String>,
    /// Store path of the system to which the node rolls back, or has rolled back.
    pub system: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the answer of `rk1-guard state` is not understood: {0:?}")]
pub struct UnreadableState(String);

impl GuardStatus {
    /// Reads lines of `key=value`. Unknown keys are ignored: the guard may be newer.
    pub(super) fn parse(text: &str) -> Result<Self, UnreadableState> {
        let value = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            line.filter(|value| !value.is_empty())
        };
        let unreadable = || UnreadableState(text.chars().take(200).collect());
        let state = match value("state") {
            Some("idle") => GuardState::Idle,
            Some("armed") => GuardState::Armed {
                left: value("left").and_then(|left| left.parse().ok()).ok_or_else(unreadable)?,
            },
            Some("reverting") => GuardState::Reverting,
            Some("reverted") => GuardState::Reverted,
            // The decision to keep the system has been made.
            Some("keeping" | "confirmed") => GuardState::Confirmed,
            _ => return Err(unreadable()),
        };
        let running = value("running").ok_or_else(unreadable)?.to_owned();
        Ok(Self {
            state,
            running,
            booted: value("booted").map(str::to_owned),
            system: value("system").map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{GuardState, GuardStatus};

    #[test]
    fn the_lines_are_read() {
        let text = "state=armed\nsystem=/nix/store/old\ngeneration=7\nleft=-3\nnewer=key\nrunning=/nix/store/new\nbooted=/nix/store/old\n";
        let answer = GuardStatus::parse(text).ok();
        let expected = GuardStatus {
            state: GuardState::Armed { left: -3 },
            running: "/nix/store/new".to_owned(),
            booted: Some("/nix/store/old".to_owned()),
            system: Some("/nix/store/old".to_owned()),
        };
        assert_eq!(answer, Some(expected));
        for unreadable in ["", "state=armed\nrunning=/x\n", "state=idle\n", "state=?\nrunning=/x\n", "<html>"]
        {
            assert!(GuardStatus::parse(unreadable).is_err(), "{unreadable}");
        }
    }
}
