//! What the lab has seen.

use std::fmt;
use std::time::Duration;

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub what: String,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As it should be; where a time matters, so long after its cause.
    Well(Option<Duration>),
    /// Not as it should be, and what was seen instead.
    Wrong(String),
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Outcome::Well(None) => write!(formatter, "ok     {}", self.what),
            Outcome::Well(Some(took)) => {
                write!(formatter, "ok     {:<92} {:>6.2} s", self.what.as_str(), took.as_secs_f64())
            }
            Outcome::Wrong(seen) => write!(formatter, "WRONG  {}: {seen}", self.what),
        }
    }
}

impl Finding {
    /// Of something that is well or not; `seen` says what was there instead.
    pub(super) fn judged(what: impl Into<String>, is_well: bool, seen: impl FnOnce() -> String) -> Self {
        let outcome = if is_well { Outcome::Well(None) } else { Outcome::Wrong(seen()) };
        Self { what: what.into(), outcome }
    }

    /// Of something that came about after a time, or did not.
    pub(super) fn timed(what: String, took: Option<Duration>, seen: impl FnOnce() -> String) -> Self {
        let outcome = took.map_or_else(|| Outcome::Wrong(seen()), |took| Outcome::Well(Some(took)));
        Self { what, outcome }
    }

    /// Of two texts that should be the same.
    pub(super) fn same(what: &str, before: &str, after: &str) -> Self {
        Self::judged(what, before == after, || {
            similar::TextDiff::from_lines(before, after).unified_diff().to_string()
        })
    }
}
