//! A node before and after: what was good has to be good again.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::operate::status::{Finding, Observation};

/// Something that is not good, in words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Ailment {
    /// The node, the router or the cluster.
    pub subject: String,
    /// What was asked of it, such as `k3s`.
    pub question: String,
    pub what: String,
    pub look_at: Option<String>,
}

impl fmt::Display for Ailment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, {}: {}", self.subject, self.question, self.what)?;
        match &self.look_at {
            Some(look_at) => write!(formatter, "; look at {look_at}"),
            None => Ok(()),
        }
    }
}

fn ailment(subject: &str, question: &str, finding: &Finding) -> Option<Ailment> {
    let (what, look_at) = match finding {
        Finding::Good { .. } => return None,
        Finding::Wrong { what, look_at } => (what, Some(look_at.clone())),
        Finding::Unknown { why, look_at } => (why, look_at.clone()),
    };
    let (subject, question) = (subject.to_owned(), question.to_owned());
    Some(Ailment { subject, question, what: what.clone(), look_at })
}

/// What is wrong, for certain.
#[must_use]
pub(super) fn wrong(observation: &Observation) -> Vec<Ailment> {
    let findings = observation.findings().filter(|(.., finding)| matches!(finding, Finding::Wrong { .. }));
    findings.filter_map(|(subject, question, finding)| ailment(subject, question, finding)).collect()
}

/// What nobody could say.
#[must_use]
pub(super) fn unknown(observation: &Observation) -> Vec<Ailment> {
    let findings = observation.findings().filter(|(.., finding)| matches!(finding, Finding::Unknown { .. }));
    findings.filter_map(|(subject, question, finding)| ailment(subject, question, finding)).collect()
}

/// What was good before a switch. Only that can be asked for after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Baseline(BTreeSet<(String, String)>);

impl Baseline {
    #[must_use]
    pub(super) fn of(before: &Observation) -> Self {
        let good = before.findings().filter(|(.., finding)| finding.is_good());
        Self(good.map(|(subject, question, _)| (subject.to_owned(), question.to_owned())).collect())
    }

    /// What was good and is not any more.
    #[must_use]
    pub(super) fn missing(&self, after: &Observation) -> Vec<Ailment> {
        let ill =
            after.findings().filter_map(|(subject, question, finding)| ailment(subject, question, finding));
        ill.filter(|ailment| self.0.contains(&(ailment.subject.clone(), ailment.question.clone()))).collect()
    }
}
