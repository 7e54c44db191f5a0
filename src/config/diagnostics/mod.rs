//! The problems of `cluster.toml`: collected as data, formatted in one place ([`report`]).

pub mod json;
mod problem;
pub mod redact;
pub mod report;

pub(crate) use problem::Unresolved;
pub use problem::{Mistake, Problem, Problems, Related, Severity};
