//! The checks of the lab.

use std::fmt;
use std::time::Duration;

/// Takes each check as it is made.
pub(super) type ReportCheck<'a> = dyn FnMut(LabCheck) + 'a;

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabCheck {
    pub what: String,
    pub outcome: CheckOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckOutcome {
    /// Passed; where a time matters, this long after its cause.
    Passed(Option<Duration>),
    /// Failed, and what was seen instead.
    Failed(String),
}

impl fmt::Display for LabCheck {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            CheckOutcome::Passed(None) => write!(formatter, "ok     {}", self.what),
            CheckOutcome::Passed(Some(took)) => {
                write!(formatter, "ok     {:<92} {:>6.2} s", self.what.as_str(), took.as_secs_f64())
            }
            CheckOutcome::Failed(seen) => write!(formatter, "WRONG  {}: {seen}", self.what),
        }
    }
}

impl LabCheck {
    /// Makes a check that passes or fails at once; `seen` says what was there instead.
    pub(super) fn judged(what: impl Into<String>, passed: bool, seen: impl FnOnce() -> String) -> Self {
        let outcome = if passed { CheckOutcome::Passed(None) } else { CheckOutcome::Failed(seen()) };
        Self { what: what.into(), outcome }
    }

    /// Makes a check of something that happened after a time, or did not happen.
    pub(super) fn timed(what: String, took: Option<Duration>, seen: impl FnOnce() -> String) -> Self {
        let outcome =
            took.map_or_else(|| CheckOutcome::Failed(seen()), |took| CheckOutcome::Passed(Some(took)));
        Self { what, outcome }
    }

    /// Makes a check of two texts that should be the same.
    pub(super) fn same(what: &str, before: &str, after: &str) -> Self {
        Self::judged(what, before == after, || {
            similar::TextDiff::from_lines(before, after).unified_diff().to_string()
        })
    }
}
