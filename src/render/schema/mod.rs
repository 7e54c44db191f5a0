//! Nothing unknown is ever written: objects and Helm values are held against the schemas of those who read them.
//!
//! A Kubernetes API server drops a key that it does not know without a word, and Helm hands an unknown value to no
//! template. Here both are refused. The schemas are compact forms of the public ones (`data/README.md`).

mod catalog;
mod chart_rule;
mod check;
mod default;
mod definition;
mod format;
mod label;
mod metadata;
mod path;
mod problem;
mod resource;
mod rule;
mod values;

pub use catalog::{bundle_of, definitions};
pub use definition::{Definition, ListType, Rule, Schema, Scope, Type};
pub use problem::{ResourceMistake, ResourceProblem};
pub use resource::validate_resource;
pub use rule::{Restated, restated_rules};
pub use values::{Chart, validate_values};
