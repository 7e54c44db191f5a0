//! The rules in CEL (`x-kubernetes-validations`), restated.
//!
//! A rule sees a value with its defaults filled in, whose structure is right: types, choices and required keys may be
//! taken for granted. What CEL calls an error, such as a key that is not there, breaks the rule.

mod cert_manager;
mod cilium;
mod gateway;
mod route;
mod route_filter;

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value;

/// What stands in for a rule.
#[derive(Debug, Clone, Copy)]
pub enum Restated {
    /// Whether a value obeys the rule.
    Function(fn(&Value) -> bool),
    /// Why no new object whose structure is right can break it.
    OutOfReach(&'static str),
}

/// Rules by their text; two blanks or one make two rules.
type Table = &'static [(&'static str, Restated)];

const TABLES: [Table; 6] = [
    cert_manager::RULES,
    cilium::RULES,
    gateway::RULES,
    route::RULES,
    route_filter::RULES,
    &[("self == oldSelf", TRANSITION), ("!oldSelf.hasValue() || self == oldSelf.value()", TRANSITION)],
];

const TRANSITION: Restated =
    Restated::OutOfReach("it compares with the object that is there already; a new one has none");

static BY_TEXT: LazyLock<HashMap<&'static str, Restated>> =
    LazyLock::new(|| TABLES.iter().copied().flatten().copied().collect());

/// Every rule that is restated, or is known to be out of reach.
pub fn restated_rules() -> impl Iterator<Item = (&'static str, Restated)> {
    TABLES.iter().copied().flatten().copied()
}

/// Whether a value obeys a rule. Nothing obeys a rule that is not known.
pub(super) fn holds(rule: &str, value: &Value) -> bool {
    match BY_TEXT.get(rule) {
        Some(Restated::Function(obeys)) => obeys(value),
        Some(Restated::OutOfReach(_)) => true,
        None => false,
    }
}

fn has(value: &Value, key: &str) -> bool {
    value.get(key).is_some()
}

/// A string; empty if there is none.
fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A list's items; none if there is no list.
fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).map_or(&[], list)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// CEL's `self.all(one, self.exists_one(other, …))`.
fn is_each_unique(list: &[Value], is_same: impl Fn(&Value, &Value) -> bool) -> bool {
    list.iter().all(|one| list.iter().filter(|other| is_same(one, other)).count() == 1)
}
