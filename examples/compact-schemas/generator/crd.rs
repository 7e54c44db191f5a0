//! The compact form of a `CustomResourceDefinition`.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

use super::OPEN;

pub(crate) struct Compact {
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) scope: String,
    /// Served versions with the same schema share one.
    pub(crate) schemas: Vec<(Vec<String>, Value)>,
}

/// What each object has; `status` is written by controllers only.
const ENVELOPE: [&str; 4] = ["apiVersion", "kind", "metadata", "status"];

pub(crate) fn compact(definition: &Value) -> Result<Compact> {
    ensure!(definition["kind"] == "CustomResourceDefinition", "this is no CustomResourceDefinition");
    let spec = &definition["spec"];
    let mut schemas: Vec<(Vec<String>, Value)> = Vec::new();
    for version in spec["versions"].as_array().context("versions")? {
        if version["served"] != true {
            continue;
        }
        let name = text(&version["name"])?;
        let mut schema =
            compact_schema(&version["schema"]["openAPIV3Schema"]).with_context(|| name.clone())?;
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            properties.retain(|key, _| !ENVELOPE.contains(&key.as_str()));
        }
        if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|key| !ENVELOPE.iter().any(|each| key == each));
        }
        match schemas.iter_mut().find(|(_, known)| *known == schema) {
            Some((names, _)) => names.push(name),
            None => schemas.push((vec![name], schema)),
        }
    }
    Ok(Compact {
        group: text(&spec["group"])?,
        kind: text(&spec["names"]["kind"])?,
        scope: text(&spec["scope"])?,
        schemas,
    })
}

fn text(value: &Value) -> Result<String> {
    value.as_str().map(str::to_owned).context("a string is missing")
}

/// Drops what only people read and puts JSON Schema in the place of Kubernetes' own keys that it can express. An unknown
/// key is an error, so that no condition is lost.
fn compact_schema(schema: &Value) -> Result<Value> {
    let mut compact = Map::new();
    for (key, value) in schema.as_object().context("a schema is a map")? {
        let (name, value) = match key.as_str() {
            "description" | "example" | "x-kubernetes-map-type" => continue,
            "x-kubernetes-list-type" if value == "atomic" => continue,
            "properties" => ("properties", compact_members(value)?),
            "items" | "not" => (key.as_str(), compact_schema(value)?),
            "additionalProperties" if value.is_object() => ("additionalProperties", compact_schema(value)?),
            "allOf" | "anyOf" | "oneOf" => {
                let parts = value.as_array().context("a list")?;
                (key.as_str(), parts.iter().map(compact_schema).collect::<Result<Value>>()?)
            }
            "x-kubernetes-int-or-string" => ("type", json!(["integer", "string"])),
            "x-kubernetes-preserve-unknown-fields" => (OPEN, value.clone()),
            "x-kubernetes-validations" => {
                let rules = value.as_array().context("a list")?;
                (key.as_str(), rules.iter().map(compact_rule).collect::<Result<Value>>()?)
            }
            "format" if value == "int32" => continue,
            // Go has a short form of this class, which JSON Schema does not know.
            "pattern" => (key.as_str(), text(value)?.replace(r"\PC", r"\P{C}").into()),
            "x-kubernetes-list-type"
            | "x-kubernetes-list-map-keys"
            | "default"
            | "enum"
            | "format"
            | "maxItems"
            | "maxLength"
            | "maxProperties"
            | "maximum"
            | "minItems"
            | "minLength"
            | "minProperties"
            | "minimum"
            | "required"
            | "type" => (key.as_str(), value.clone()),
            other => bail!("the key `{other}` is not known"),
        };
        compact.insert(name.to_owned(), value);
    }
    if schema["format"] == "int32" {
        compact.entry("minimum").or_insert_with(|| Value::from(i32::MIN));
        compact.entry("maximum").or_insert_with(|| Value::from(i32::MAX));
    }
    Ok(Value::Object(compact))
}

fn compact_members(members: &Value) -> Result<Value> {
    let members = members.as_object().context("a map")?;
    let compact = members.iter().map(|(key, member)| Ok((key.clone(), compact_schema(member)?)));
    Ok(Value::Object(compact.collect::<Result<_>>()?))
}

fn compact_rule(rule: &Value) -> Result<Value> {
    let mut compact = Map::new();
    for (key, value) in rule.as_object().context("a rule is a map")? {
        match key.as_str() {
            // Where and how a problem is reported, and what it is compared with on an update.
            "fieldPath" | "optionalOldSelf" | "reason" => {}
            "message" | "rule" => {
                compact.insert(key.clone(), value.clone());
            }
            other => bail!("the key `{other}` of a rule is not known"),
        }
    }
    let rule = compact["rule"].as_str().context("a rule is a string")?.trim().to_owned();
    // As an API server puts it.
    compact.entry("message").or_insert_with(|| Value::from(format!("failed rule: {rule}")));
    compact.insert("rule".to_owned(), Value::from(rule));
    Ok(Value::Object(compact))
}
