//! Every rule in CEL is restated, or out of reach for a reason.

use std::collections::BTreeSet;

use rk1::render::schema::{Restated, Schema, definitions, restated_rules};

/// A schema and all below it.
pub(crate) fn walk<'a>(schema: &'a Schema, visit: &mut impl FnMut(&'a Schema)) {
    visit(schema);
    schema.properties.values().for_each(|property| walk(property, visit));
    let parts = [&schema.additional_properties, &schema.items, &schema.not];
    parts.into_iter().flatten().for_each(|part| walk(part, visit));
    [&schema.all_of, &schema.any_of, &schema.one_of].into_iter().flatten().for_each(|part| walk(part, visit));
}

#[test]
fn every_rule_is_restated_once() {
    let mut in_schemas = BTreeSet::new();
    for (folder, definition) in definitions() {
        for served in &definition.unwrap_or_else(|| panic!("a definition in {folder}")).schemas {
            walk(&served.schema, &mut |schema| {
                in_schemas.extend(schema.rules.iter().map(|rule| rule.rule.as_str()));
            });
        }
    }
    let restated: Vec<_> = restated_rules().map(|(rule, _)| rule).collect();
    let distinct: BTreeSet<_> = restated.iter().copied().collect();
    assert_eq!(restated.len(), distinct.len(), "a rule stands twice in the tables");
    assert_eq!(distinct, in_schemas);
    assert!(in_schemas.len() >= 80, "{} rules", in_schemas.len());
    for (rule, restated) in restated_rules() {
        if let Restated::OutOfReach(because) = restated {
            assert!(!because.is_empty(), "{rule}");
        }
    }
}

#[test]
fn every_pattern_can_be_compiled() {
    let mut patterns = BTreeSet::new();
    for (_, definition) in definitions() {
        for served in &definition.expect("a definition").schemas {
            walk(&served.schema, &mut |schema| {
                if let Some(pattern) = &schema.pattern {
                    assert!(pattern.matches("").is_some(), "{}", pattern.text);
                    patterns.insert(&pattern.text);
                }
            });
        }
    }
    assert!(patterns.len() >= 15, "{patterns:?}");
}
