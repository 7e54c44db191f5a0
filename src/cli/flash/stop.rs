//! Why it ends before its time: what is wrong, in which state the node is, what to do.

use std::fmt::Display;
use std::net::IpAddr;

use crate::cli::{Outcome, styled};
use crate::config::cluster::Label;
use crate::config::diagnostics::Mistake;
use crate::provision::flash::{Failure, Left};

#[derive(Debug)]
pub(super) struct Stop {
    what: String,
    left: Option<String>,
    hint: Option<String>,
    outcome: Outcome,
}

impl Stop {
    /// Nothing was touched, and what to do is plain.
    pub(super) fn new(node: &Label, error: impl Display) -> Self {
        Self { what: format!("{node}: {error:#}"), left: None, hint: None, outcome: Outcome::Failed }
    }

    /// The command line cannot be meant.
    pub(super) fn misuse(error: impl Display, hint: impl Into<String>) -> Self {
        Self { what: error.to_string(), left: None, hint: Some(hint.into()), outcome: Outcome::Usage }
    }

    pub(super) fn mistake(node: &Label, mistake: &impl Mistake) -> Self {
        let cause = mistake.source().map(|source| format!(": {source}")).unwrap_or_default();
        Self { hint: mistake.hint(), ..Self::new(node, format!("{mistake}{cause}")) }
    }

    pub(super) fn failed(node: &Label, failure: &Failure, left: Left) -> Self {
        let cause = std::error::Error::source(failure)
            .filter(|source| !failure.to_string().contains(&source.to_string()))
            .map(|source| format!(": {source}"))
            .unwrap_or_default();
        Self {
            left: Some(left.to_string()),
            hint: Some(failure.hint(left).to_owned()),
            outcome: match failure {
                Failure::Interrupted => Outcome::Interrupted,
                _ => Outcome::Failed,
            },
            ..Self::new(node, format!("{failure}{cause}"))
        }
    }

    /// Ctrl-C before anything was started.
    pub(super) fn interrupted(node: &Label) -> Self {
        Self::failed(node, &Failure::Interrupted, Left::Untouched)
    }

    /// Ctrl-C when all but the boot was done.
    pub(super) fn interrupted_while_booting(node: &Label) -> Self {
        Self {
            left: Some(Left::On.to_string()),
            outcome: Outcome::Interrupted,
            ..Self::new(node, "interrupted while it boots")
        }
    }

    pub(super) fn does_not_answer(node: &Label, address: IpAddr, seconds: u64) -> Self {
        let hint = "look at its console (`tpi uart -n SLOT get`): an old system on the NVMe may have been booted instead; \
                    docs/flash.md";
        Self {
            left: Some(Left::On.to_string()),
            hint: Some(hint.to_owned()),
            ..Self::new(node, format!("ssh at {address} does not answer after {seconds} s"))
        }
    }

    pub(super) fn saying(self, what: impl Into<String>) -> Self {
        Self { what: what.into(), ..self }
    }

    pub(super) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Says all of it on standard error, and which nodes were not begun.
    pub(super) fn print(self, not_begun: &[&str]) -> Outcome {
        anstream::eprintln!("{}: {}", styled("error"), self.what);
        if let Some(left) = &self.left {
            anstream::eprintln!("  state: {left}");
        }
        if let Some(hint) = &self.hint {
            anstream::eprintln!("  hint: {hint}");
        }
        if !not_begun.is_empty() {
            anstream::eprintln!("  not begun: {}", not_begun.join(", "));
        }
        self.outcome
    }
}
