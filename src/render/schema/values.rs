//! Checks Helm values against the schema of their chart.

use std::sync::OnceLock;

use serde_json::Value;

use super::definition::Schema;
use super::problem::{ResourceMistake, ResourceProblem};
use super::{chart_rule, validator};
use crate::config::cluster::Release;

/// A Helm chart and its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chart {
    Cilium(Release),
    CertManager(Release),
}

impl Chart {
    fn name(self) -> &'static str {
        match self {
            Self::Cilium(_) => "cilium",
            Self::CertManager(_) => "cert-manager",
        }
    }

    fn release(self) -> Release {
        match self {
            Self::Cilium(release) | Self::CertManager(release) => release,
        }
    }
}

/// The schema of a chart's values, parsed when it is first needed.
struct Embedded {
    chart: &'static str,
    release: Release,
    text: &'static str,
    parsed: OnceLock<Option<Schema>>,
}

impl Embedded {
    const fn new(chart: &'static str, version: [u16; 3], text: &'static str) -> Self {
        let [major, minor, patch] = version;
        Self { chart, release: Release { major, minor, patch: Some(patch) }, text, parsed: OnceLock::new() }
    }

    fn schema(&self) -> Option<&Schema> {
        self.parsed.get_or_init(|| serde_json::from_str(self.text).ok()).as_ref()
    }
}

static EMBEDDED: [Embedded; 5] = [
    Embedded::new("cert-manager", [1, 21, 1], include_str!("data/charts/cert-manager-1.21.1.json")),
    Embedded::new("cilium", [1, 16, 1], include_str!("data/charts/cilium-1.16.1.json")),
    Embedded::new("cilium", [1, 18, 12], include_str!("data/charts/cilium-1.18.12.json")),
    Embedded::new("cilium", [1, 19, 6], include_str!("data/charts/cilium-1.19.6.json")),
    Embedded::new("cilium", [1, 20, 0], include_str!("data/charts/cilium-1.20.0.json")),
];

/// Returns everything that is wrong with a chart's values: keys that no template reads, values of the wrong type, and
/// what the templates themselves refuse.
///
/// Charts keep their values within a minor release, so another patch release is checked against the known one.
#[must_use]
pub fn validate_values(chart: Chart, values: &Value) -> Vec<ResourceProblem> {
    let release = chart.release();
    let known = EMBEDDED.iter().filter(|each| each.chart == chart.name());
    let same_line =
        |each: &&Embedded| (each.release.major, each.release.minor) == (release.major, release.minor);
    let Some(schema) = known.clone().find(same_line).and_then(Embedded::schema) else {
        let what = format!("the values of {} {release}", chart.name());
        let known = known.map(|each| each.release.to_string()).collect();
        let mistake = ResourceMistake::NoSchema { what, known };
        return vec![ResourceProblem { path: String::new(), mistake }];
    };
    let mut problems = validator::problems(schema, values, "");
    if problems.is_empty() && matches!(chart, Chart::Cilium(_)) {
        problems.extend(chart_rule::broken_by(values));
    }
    problems
}
