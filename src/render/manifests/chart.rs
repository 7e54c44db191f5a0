//! The Helm charts that k3s installs.

use serde::Serialize;

use crate::config::cluster::{Cluster, Release};
use crate::config::diagnostics::{Mistake, Problems};
use crate::render::pins::Pins;

#[derive(Serialize)]
pub(super) struct Chart<'a> {
    release: String,
    /// The name of the chart's file among those that a server hands out. `None` if the cluster fetches the chart itself.
    file: Option<String>,
    repository: &'a str,
    values: String,
}

/// A chart whose hash is unknown. It is rendered, but the bytes that the cluster fetches are not checked.
#[derive(Debug, thiserror::Error)]
#[error("pins.json has no hash of {chart} {release}: the cluster will fetch the chart itself, unchecked")]
struct Unpinned {
    chart: &'static str,
    release: Release,
}

impl Mistake for Unpinned {
    fn hint(&self) -> Option<String> {
        Some("run `rk1 pin`, which looks it up, then `rk1 render` again".to_owned())
    }
}

/// Returns the charts that the cluster installs, with their releases.
pub(super) fn charts(cluster: &Cluster) -> impl Iterator<Item = (&'static str, Release)> {
    let is_installed = |name: &str| name != CERT_MANAGER_CHART || cluster.has_certificates();
    cluster.versions.charts().into_iter().filter(move |(name, _)| is_installed(name))
}

/// Notes the charts without a hash.
pub(super) fn note_unpinned(cluster: &Cluster, pins: &Pins, problems: &mut Problems) {
    for (chart, release) in charts(cluster) {
        if pins.chart(chart, release).is_none() {
            problems.warning(cluster.sections.versions, Unpinned { chart, release });
        }
    }
}

pub(super) const CERT_MANAGER_CHART: &str = "cert-manager";

/// k3s upgrades a release only when its `HelmChart` changes, so the chart's file is named by its version.
pub(super) fn chart_file(name: &str, release: Release) -> String {
    format!("{name}-{release}")
}

pub(super) fn chart<'a>(name: &str, release: Release, pins: &'a Pins, values: String) -> Chart<'a> {
    Chart {
        release: release.to_string(),
        file: pins.chart(name, release).map(|_| chart_file(name, release)),
        repository: pins.charts.get(name).map(|chart| chart.repository.as_str()).unwrap_or_default(),
        values,
    }
}

/// The indentation of the values below `valuesContent` in a `HelmChart`.
pub(super) const VALUES_INDENT: usize = 4;
