//! Checks fields of the kubelet's configuration. A kubelet ignores a field that it does not know.
//!
//! `kubelet-configuration.json` has the names and types of the fields, read by reflection from the Go types of k8s.io/kubelet
//! v0.36.4, `config/v1beta1` (Apache License, Version 2.0). Its maps are closed where the keys are known.

use std::sync::OnceLock;

use serde_json::Value;

use super::definition::Schema;
use super::problem::ResourceProblem;
use super::validator;

static SCHEMA: OnceLock<Option<Schema>> = OnceLock::new();

/// Returns everything that is wrong with fields of a `KubeletConfiguration` of `kubelet.config.k8s.io/v1beta1`.
#[must_use]
pub fn validate_kubelet(fields: &Value) -> Vec<ResourceProblem> {
    let text = include_str!("kubelet-configuration.json");
    let schema = SCHEMA.get_or_init(|| serde_json::from_str(text).ok());
    schema.as_ref().map(|schema| validator::problems(schema, fields, "")).unwrap_or_default()
}
