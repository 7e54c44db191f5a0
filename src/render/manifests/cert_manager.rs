//! The values of cert-manager's chart: those that rk1 sets, with the user's merged over them.

use serde_json::{Value, json};

use super::chart::VALUES_INDENT;
use super::values::{self, Fixed, fixed, lay_over};
use crate::config::cluster::Cluster;
use crate::render::schema::ResourceProblem;
use crate::render::yaml::{self, Comment};

const COMMENTS: &[Comment<'static>] = &[
    (&["config", "gatewayAPI"], "Makes certificates for the listeners of gateways that have its annotation."),
    (
        &["dns01RecursiveNameservers"],
        "Before it asks for a certificate, cert-manager checks that its record is visible from outside. The local\n\
         router may answer differently for this domain.",
    ),
];

const FIXED: [Fixed; 2] = [
    fixed("config.gatewayAPI.enabled", "[gateway]", "without it the gateways get no certificate"),
    fixed("crds.enabled", "[certificates]", "without its definitions no issuer can be made"),
];

/// Returns the values as YAML, with the reason for each that needs one.
pub(super) fn values(cluster: &Cluster) -> String {
    yaml::block(&merged(cluster), COMMENTS, VALUES_INDENT)
}

/// Returns the user's values that override one on which other rendered files depend.
pub(super) fn overridden(cluster: &Cluster) -> Vec<ResourceProblem> {
    values::overridden(&FIXED, &own(cluster), &merged(cluster))
}

fn merged(cluster: &Cluster) -> Value {
    let mut values = own(cluster);
    if let Some(written) = &cluster.certificates.values {
        lay_over(&mut values, written);
    }
    values
}

/// Returns the values that rk1 sets.
fn own(cluster: &Cluster) -> Value {
    let mut values = json!({
        "config": {
            "apiVersion": "controller.config.cert-manager.io/v1alpha1",
            "gatewayAPI": { "enabled": true },
            "kind": "ControllerConfiguration",
        },
        "crds": { "enabled": true },
    });
    let servers = &cluster.certificates.recursive_nameservers;
    if !servers.is_empty() {
        values["dns01RecursiveNameservers"] = json!(servers.join(","));
        values["dns01RecursiveNameserversOnly"] = json!(true);
    }
    values
}
