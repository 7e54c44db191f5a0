//! The checks of the lab.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

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

/// A check as JSON.
#[derive(Serialize)]
struct Record<'a> {
    check: &'a str,
    passed: bool,
    /// The time from the cause, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    /// What was seen instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<&'a str>,
}

impl Serialize for LabCheck {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (passed, took, seen) = match &self.outcome {
            CheckOutcome::Passed(took) => (true, *took, None),
            CheckOutcome::Failed(seen) => (false, None, Some(seen.as_str())),
        };
        Record { check: &self.what, passed, seconds: took.as_ref().map(Duration::as_secs_f64), seen }
            .serialize(serializer)
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{CheckOutcome, LabCheck};

    #[test]
    fn checks_are_records_for_scripts() {
        let of = |outcome| {
            let check = LabCheck { what: "4 of 4 sessions are established".to_owned(), outcome };
            serde_json::to_string(&check).expect("JSON")
        };
        let what = r#""check":"4 of 4 sessions are established""#;
        assert_eq!(of(CheckOutcome::Passed(None)), format!(r#"{{{what},"passed":true}}"#));
        let timed = of(CheckOutcome::Passed(Some(Duration::from_millis(2500))));
        assert_eq!(timed, format!(r#"{{{what},"passed":true,"seconds":2.5}}"#));
        let failed = of(CheckOutcome::Failed("3 of 4".to_owned()));
        assert_eq!(failed, format!(r#"{{{what},"passed":false,"seen":"3 of 4"}}"#));
    }
}
