//! Helm values: the user's merged over the rendered ones, and which of them must not be overridden.

use serde_json::{Map, Value, json};

use crate::config::source::Spanned;
use crate::config::written::FreeValue;
use crate::render::schema::{ResourceMistake, ResourceProblem};

/// A value on which other rendered files depend.
pub(super) struct Fixed {
    path: &'static str,
    /// The section of cluster.toml that sets it.
    section: &'static str,
    /// What stops working with another value.
    reason: &'static str,
}

pub(super) const fn fixed(path: &'static str, section: &'static str, reason: &'static str) -> Fixed {
    Fixed { path, section, reason }
}

/// Returns the fixed values that differ between those that rk1 sets and those with the user's merged over them.
pub(super) fn overridden(fixed: &[Fixed], own: &Value, merged: &Value) -> Vec<ResourceProblem> {
    let differs = |fixed: &&Fixed| {
        let pointer = format!("/{}", fixed.path.replace('.', "/"));
        let (own, merged) = (own.pointer(&pointer), merged.pointer(&pointer));
        // Some charts have switches as strings.
        let is_on = |value: Option<&Value>| value.is_some_and(|value| *value == true || value == "true");
        match fixed.path {
            "ipv6.enabled" => is_on(own) != is_on(merged),
            _ if is_on(own) => !is_on(merged),
            // What rk1 does not set or switches off, the user may set.
            _ => own.is_some_and(|own| *own != false && Some(own) != merged),
        }
    };
    let problem = |fixed: &Fixed| ResourceProblem {
        path: fixed.path.to_owned(),
        mistake: ResourceMistake::ChartRule {
            message: format!("this overrides the value that `{}` sets", fixed.section),
            instead: format!("remove it: {}", fixed.reason),
        },
    };
    fixed.iter().filter(differs).map(problem).collect()
}

/// Merges values as Helm does: maps key by key, everything else as a whole.
pub(super) fn lay_over(values: &mut Value, own: &Spanned<FreeValue>) {
    match (values, &own.value) {
        (Value::Object(below), FreeValue::Table(entries)) => {
            for (key, value) in entries {
                lay_over(below.entry(key.value.clone()).or_insert(Value::Null), value);
            }
        }
        (place, _) => *place = json(own),
    }
}

pub(in crate::render) fn json(value: &Spanned<FreeValue>) -> Value {
    match &value.value {
        FreeValue::Boolean(on) => json!(on),
        FreeValue::Float(number) => json!(number),
        FreeValue::Integer(number) => json!(number),
        FreeValue::List(items) => items.iter().map(json).collect(),
        FreeValue::String(text) => json!(text),
        FreeValue::Table(entries) => {
            let entries = entries.iter().map(|(key, value)| (key.value.clone(), json(value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
    }
}
