//! What is wrong with the user's text: collected as data, printed in one place ([`report`]).

pub mod json;
mod problem;
pub mod redact;
pub mod report;

pub(crate) use problem::Unresolved;
pub use problem::{Mistake, Problem, Problems, Related, Severity};
