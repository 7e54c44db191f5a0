//! Every schema can be compiled, and so can each of its patterns and rules.

use std::collections::BTreeSet;

use rk1::render::schema::definitions;
use serde_json::Value;

/// Calls `visit` with every map of a schema.
pub(crate) fn walk<'a>(schema: &'a Value, visit: &mut impl FnMut(&'a Value)) {
    match schema {
        Value::Object(members) => {
            visit(schema);
            members.values().for_each(|member| walk(member, visit));
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        _ => {}
    }
}

/// The text of every rule that is about a new object. One with `oldSelf` is about a change.
pub(crate) fn every_rule() -> BTreeSet<&'static str> {
    let mut rules = BTreeSet::new();
    for (_, definition) in definitions() {
        for served in &definition.expect("a definition").schemas {
            walk(&served.schema.json, &mut |schema| {
                let of_place = schema["x-kubernetes-validations"].as_array().into_iter().flatten();
                rules.extend(of_place.filter_map(|rule| rule["rule"].as_str()));
            });
        }
    }
    rules.retain(|rule| !rule.contains("oldSelf"));
    rules
}

#[test]
fn every_schema_can_be_compiled() {
    let mut patterns = BTreeSet::new();
    for (folder, definition) in definitions() {
        let definition = definition.unwrap_or_else(|| panic!("a definition in {folder}"));
        for served in &definition.schemas {
            assert!(served.schema.validator().is_some(), "{folder} {}", definition.kind);
            walk(&served.schema.json, &mut |schema| patterns.extend(schema["pattern"].as_str()));
        }
    }
    assert!(patterns.len() >= 15, "{patterns:?}");
}

#[test]
fn every_rule_can_be_compiled() {
    let rules = every_rule();
    assert!(rules.len() >= 80, "{} rules", rules.len());
    for rule in rules {
        let text = rule.replace("__namespace__", "namespace");
        assert!(cel::Program::compile(&text).is_ok(), "{rule}");
    }
}
