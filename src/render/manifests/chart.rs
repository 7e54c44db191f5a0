//! The Helm charts that k3s installs, and the values they get.

use serde::Serialize;
use serde_json::json;

use crate::config::cluster::{Cluster, Release};
use crate::config::diagnostics::{Mistake, Problems};
use crate::render::pins::Pins;
use crate::render::yaml;

#[derive(Serialize)]
pub(super) struct Chart<'a> {
    release: String,
    /// Name of its file among the charts that a server hands out; nothing if the cluster fetches it.
    file: Option<String>,
    repository: &'a str,
    values: String,
}

/// A chart that nobody has looked up: it is rendered, and what the cluster fetches is not checked.
#[derive(Debug, thiserror::Error)]
#[error("pins.json has no hash of {chart} {release}: the cluster will fetch the chart itself, unchecked")]
struct Unpinned {
    chart: &'static str,
    release: Release,
}

impl Mistake for Unpinned {
    fn hint(&self) -> Option<String> {
        Some("`rk1 pin` looks it up; then render anew".to_owned())
    }
}

/// The charts of a cluster, by name.
pub(super) fn charts(cluster: &Cluster) -> [(&'static str, Release); 2] {
    [("cert-manager", cluster.versions.cert_manager), ("cilium", cluster.versions.cilium)]
}

/// What is rendered all the same, but worth knowing.
pub(super) fn note_unpinned(cluster: &Cluster, pins: &Pins, problems: &mut Problems) {
    for (chart, release) in charts(cluster) {
        if pins.chart(chart, release).is_none() {
            problems.warning(cluster.sections.versions, Unpinned { chart, release });
        }
    }
}

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

/// Values of cert-manager's chart.
pub(super) fn cert_manager_values() -> String {
    let values = json!({
        "config": {
            "apiVersion": "controller.config.cert-manager.io/v1alpha1",
            "gatewayAPI": { "enabled": true },
            "kind": "ControllerConfiguration",
        },
        "crds": { "enabled": true },
        "dns01RecursiveNameservers": "1.1.1.1:53,1.0.0.1:53",
        "dns01RecursiveNameserversOnly": true,
    });
    let comments: &[yaml::Comment<'_>] = &[
        (&["config", "gatewayAPI"], "Certificates for gateways' listeners, asked for by an annotation."),
        (
            &["dns01RecursiveNameservers"],
            "Before it asks for a certificate, cert-manager looks whether its record can be seen from outside. The\n\
             router's own view of the domain would mislead it.",
        ),
    ];
    yaml::block(&values, comments, VALUES_INDENT)
}

/// Where `valuesContent` stands in a `HelmChart`, and one step in.
pub(super) const VALUES_INDENT: usize = 4;
