//! How a command ends: its exit code, and errors with a hint.

use std::fmt;
use std::process::ExitCode;

/// How a command ended. Everything that the user must know has been printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// There is something to fix.
    Failed,
    /// The command line makes no sense.
    Usage,
    /// The user interrupted the command.
    Interrupted,
    /// The command could not find out whether there is something to fix.
    Unknown,
}

impl Outcome {
    /// Returns the exit code.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            // As clap does for the mistakes that it finds.
            Self::Usage => 2,
            Self::Unknown => 3,
            // As shells report a program that Ctrl-C ended: 128 and the number of the signal.
            Self::Interrupted => 130,
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(outcome.code())
    }
}

/// An error that says what to do about it.
#[derive(Debug)]
pub(super) struct CommandError {
    message: String,
    hint: String,
}

impl CommandError {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }

    pub(super) fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for CommandError {}

/// cluster.toml has mistakes, and all of them have been printed.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` has mistakes")]
pub(super) struct Unusable(pub(super) String);
