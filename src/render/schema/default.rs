//! Defaults, filled in as an API server does before it validates.

use serde_json::{Map, Value};

use super::definition::Schema;

/// Fills in what is left out (apiextensions-apiserver, `pkg/apiserver/schema/defaulting`).
///
/// A server also replaces a null by the default; here it stays, to be refused: what is written is what is stored.
pub(super) fn fill_in(schema: &Schema, value: &mut Value) {
    match value {
        Value::Object(members) => fill_in_object(schema, members),
        Value::Array(items) => {
            if let Some(item_schema) = &schema.items {
                for item in items {
                    fill_in(item_schema, item);
                }
            }
        }
        _ => {}
    }
}

fn fill_in_object(schema: &Schema, members: &mut Map<String, Value>) {
    for (key, property) in &schema.properties {
        if let Some(default) = &property.default
            && !members.contains_key(key)
        {
            members.insert(key.clone(), default.clone());
        }
    }
    for (key, member) in members {
        let member_schema = schema.properties.get(key).or(schema.additional_properties.as_deref());
        if let Some(member_schema) = member_schema {
            fill_in(member_schema, member);
        }
    }
}
