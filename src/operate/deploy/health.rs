//! A node before and after a switch: every check that passed before has to pass again.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::operate::status::{Cause, Finding, Observation};

/// A check that did not pass.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FailedCheck {
    /// The node, the router or the cluster.
    pub subject: String,
    /// What was checked, such as `k3s`.
    pub question: String,
    pub what: String,
    pub look_at: Option<String>,
}

impl fmt::Display for FailedCheck {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, {}: {}", self.subject, self.question, self.what)?;
        match &self.look_at {
            Some(look_at) => write!(formatter, "; look at {look_at}"),
            None => Ok(()),
        }
    }
}

fn failed_check(subject: &str, question: &str, finding: &Finding) -> Option<FailedCheck> {
    let (what, look_at) = match finding {
        Finding::Good { .. } => return None,
        Finding::Wrong { what, look_at, .. } => (what, Some(look_at.clone())),
        Finding::Unknown { why, look_at } => (why, look_at.clone()),
    };
    let (subject, question) = (subject.to_owned(), question.to_owned());
    Some(FailedCheck { subject, question, what: what.clone(), look_at })
}

/// Whether a deploy is what makes the check pass.
fn is_fixed_by_deploy(finding: &Finding) -> bool {
    matches!(finding, Finding::Wrong { cause: Cause::SystemNotRunning | Cause::K3sCertificatesExpire, .. })
}

/// Returns the checks that failed, except those that the deploy itself is for.
#[must_use]
pub(super) fn failed(observation: &Observation) -> Vec<FailedCheck> {
    let wrong =
        observation.findings().filter(|(.., finding)| finding.is_wrong() && !is_fixed_by_deploy(finding));
    wrong.filter_map(|(subject, question, finding)| failed_check(subject, question, finding)).collect()
}

/// Returns the checks that could not be made.
#[must_use]
pub(super) fn unknown(observation: &Observation) -> Vec<FailedCheck> {
    let unknown = observation.findings().filter(|(.., finding)| matches!(finding, Finding::Unknown { .. }));
    unknown.filter_map(|(subject, question, finding)| failed_check(subject, question, finding)).collect()
}

/// The checks that passed before a switch. Only these can be required after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Baseline(BTreeSet<(String, String)>);

impl Baseline {
    #[must_use]
    pub(super) fn of(before: &Observation) -> Self {
        let good = before.findings().filter(|(.., finding)| finding.is_good());
        Self(good.map(|(subject, question, _)| (subject.to_owned(), question.to_owned())).collect())
    }

    /// Returns the checks that passed before and do not pass now.
    #[must_use]
    pub(super) fn missing(&self, after: &Observation) -> Vec<FailedCheck> {
        let failed = after
            .findings()
            .filter_map(|(subject, question, finding)| failed_check(subject, question, finding));
        failed.filter(|check| self.0.contains(&(check.subject.clone(), check.question.clone()))).collect()
    }
}
