//! The rules in CEL, restated.

use serde_json::Value;

/// What stands in for a rule.
#[derive(Debug, Clone, Copy)]
pub enum Restated {
    /// Whether a value, with its defaults filled in, obeys the rule.
    Function(fn(&Value) -> bool),
    /// Why it cannot be broken by what is rendered.
    OutOfReach(&'static str),
}

/// Every rule of the embedded schemas.
pub static RESTATED: &[(&str, Restated)] = &[];

pub(super) fn holds(_rule: &str, _value: &Value) -> bool {
    true
}
