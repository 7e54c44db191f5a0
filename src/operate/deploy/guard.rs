//! What is said to the guard on a node (`modules/guard`), and what it answers.

use std::time::Duration;

use thiserror::Error;

/// What it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The node goes back after this time.
    Arm(Duration),
    Confirm,
    /// The node goes back now.
    Revert,
}

/// Where the guard stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It has never been armed.
    Idle,
    /// The node goes back in so many seconds.
    Armed {
        left: i64,
    },
    Reverting,
    Reverted,
    Confirmed,
}

/// The answer to `rk1-guard state`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub state: State,
    /// Store path of the running system.
    pub running: String,
    /// The one to which the node goes back, or went.
    pub system: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`rk1-guard state` answered something else than expected: {0:?}")]
pub struct Garbled(String);

impl Answer {
    /// Reads lines of `key=value`. Keys of a newer guard are passed over.
    pub(super) fn parse(text: &str) -> Result<Self, Garbled> {
        let value = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            line.filter(|value| !value.is_empty())
        };
        let garbled = || Garbled(text.chars().take(200).collect());
        let state = match value("state") {
            Some("idle") => State::Idle,
            Some("armed") => {
                State::Armed { left: value("left").and_then(|left| left.parse().ok()).ok_or_else(garbled)? }
            }
            Some("reverting") => State::Reverting,
            Some("reverted") => State::Reverted,
            Some("confirmed") => State::Confirmed,
            _ => return Err(garbled()),
        };
        let running = value("running").ok_or_else(garbled)?.to_owned();
        Ok(Self { state, running, system: value("system").map(str::to_owned) })
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, State};

    #[test]
    fn its_lines_are_read() {
        let text =
            "state=armed\nsystem=/nix/store/old\ngeneration=7\nleft=-3\nnewer=key\nrunning=/nix/store/new\n";
        let answer = Answer::parse(text).ok();
        let expected = Answer {
            state: State::Armed { left: -3 },
            running: "/nix/store/new".to_owned(),
            system: Some("/nix/store/old".to_owned()),
        };
        assert_eq!(answer, Some(expected));
        for garbled in ["", "state=armed\nrunning=/x\n", "state=idle\n", "state=?\nrunning=/x\n", "<html>"] {
            assert!(Answer::parse(garbled).is_err(), "{garbled}");
        }
    }
}
