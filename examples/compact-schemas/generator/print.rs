//! The compact form as text: one line for each property, so that versions can be compared line by line.

use std::fmt::Write;

use serde_json::Value;

use super::crd::Compact;

pub(crate) fn definition_file(compact: &Compact) -> String {
    let mut text = format!(
        "{{\"group\":{},\"kind\":{},\"scope\":{},\"schemas\":[",
        Value::from(compact.group.as_str()),
        Value::from(compact.kind.as_str()),
        Value::from(compact.scope.as_str()),
    );
    for (index, (versions, schema)) in compact.schemas.iter().enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        let _ = write!(text, "{{\"versions\":{},\"schema\":", Value::from(versions.as_slice()));
        print(schema, 1, &mut text);
        text.push('}');
    }
    text.push_str("]}\n");
    text
}

pub(crate) fn schema_file(schema: &Value) -> String {
    let mut text = String::new();
    print(schema, 0, &mut text);
    text.push('\n');
    text
}

/// The keys of a schema in alphabetic order, with `properties` last.
fn print(schema: &Value, depth: usize, text: &mut String) {
    let Value::Object(members) = schema else {
        let _ = write!(text, "{schema}");
        return;
    };
    text.push('{');
    let mut separator = "";
    for (key, value) in members.iter().filter(|(key, _)| *key != "properties") {
        let _ = write!(text, "{separator}{}:", Value::from(key.as_str()));
        separator = ",";
        match (key.as_str(), value) {
            ("additionalProperties" | "items" | "not", _) => print(value, depth, text),
            ("allOf" | "anyOf" | "oneOf", Value::Array(parts)) => {
                text.push('[');
                for (index, part) in parts.iter().enumerate() {
                    text.push_str(if index == 0 { "" } else { "," });
                    print(part, depth, text);
                }
                text.push(']');
            }
            _ => {
                let _ = write!(text, "{value}");
            }
        }
    }
    if let Some(Value::Object(properties)) = members.get("properties") {
        let _ = write!(text, "{separator}\"properties\":{{");
        for (index, (key, property)) in properties.iter().enumerate() {
            text.push_str(if index == 0 { "\n" } else { ",\n" });
            text.extend(std::iter::repeat_n(' ', depth + 1));
            let _ = write!(text, "{}:", Value::from(key.as_str()));
            print(property, depth + 1, text);
        }
        text.push('}');
    }
    text.push('}');
}
