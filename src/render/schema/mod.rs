//! Checks Kubernetes objects and Helm values against the schemas of the software that reads them.
//!
//! A Kubernetes API server silently drops a key that it does not know, and Helm ignores a value that no template reads.
//! Here both are errors. The schemas are compact forms of the published ones (`data/README.md`).

mod catalog;
mod chart_rule;
mod compile;
mod definition;
mod format;
mod kubelet;
mod metadata;
mod problem;
mod resource;
mod rule;
mod validator;
mod values;

pub use catalog::{bundle_of, cilium_api_version, definitions};
pub use definition::{Definition, Schema, Scope};
pub use kubelet::validate_kubelet;
pub use problem::{ResourceMistake, ResourceProblem};
pub use resource::validate_resource;
pub use values::{Chart, validate_values};
