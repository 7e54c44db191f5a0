//! The Helm charts that k3s installs, and the values of cert-manager's.

use serde::Serialize;
use serde_json::json;

use crate::config::cluster::{Cluster, Release};
use crate::config::diagnostics::{Mistake, Problems};
use crate::render::pins::Pins;
use crate::render::yaml;

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

/// Notes the charts without a hash.
pub(super) fn note_unpinned(cluster: &Cluster, pins: &Pins, problems: &mut Problems) {
    for (chart, release) in cluster.versions.charts() {
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

/// Returns the values of cert-manager's chart.
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
        (
            &["config", "gatewayAPI"],
            "Makes certificates for the listeners of gateways that have its annotation.",
        ),
        (
            &["dns01RecursiveNameservers"],
            "Before it asks for a certificate, cert-manager checks that its record is visible from outside. The local\n\
             router may answer differently for this domain.",
        ),
    ];
    yaml::block(&values, comments, VALUES_INDENT)
}

/// The indentation of the values below `valuesContent` in a `HelmChart`.
pub(super) const VALUES_INDENT: usize = 4;
