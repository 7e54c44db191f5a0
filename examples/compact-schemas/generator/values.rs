//! The compact form of a chart's values: its schema, joined with `values.yaml` and a few keys that neither knows.
//!
//! Upstream's schema of Cilium leaves every map open; here a map is closed when its keys are known.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use super::allowed::{ALLOWED, PASSED_THROUGH, REFINED};
use super::{OPEN, can_be_map};

pub(crate) fn compact(chart: &str, version: &str, schema: &Value, defaults: &Value) -> Result<Value> {
    let mut compact = convert(schema, schema, false)?;
    join(&mut compact, defaults);
    for key in ALLOWED.iter().filter(|key| key.is_of(chart, version)) {
        allow(&mut compact, key.path, (key.schema)())?;
    }
    for key in REFINED.iter().filter(|key| key.is_of(chart, version)) {
        let pointer = format!("/properties/{}", key.path.replace('.', "/properties/"));
        let known = compact.pointer_mut(&pointer).with_context(|| format!("there is no `{}`", key.path))?;
        *known = (key.schema)();
    }
    Ok(compact)
}

/// `is_item` within lists: their schemas are read off examples, so that their maps stay open.
fn convert(schema: &Value, root: &Value, is_item: bool) -> Result<Value> {
    let members = schema.as_object().context("a schema is a map")?;
    if let Some(reference) = members.get("$ref") {
        let pointer = reference.as_str().and_then(|text| text.strip_prefix('#')).context("$ref")?;
        return convert(root.pointer(pointer).context("$ref leads nowhere")?, root, is_item);
    }
    let mut compact = Map::new();
    for (key, value) in members {
        match key.as_str() {
            "$defs" | "$schema" | "default" | "description" => {}
            "additionalProperties" if *value == false => {}
            "enum" | "maximum" | "minimum" | "type" => {
                compact.insert(key.clone(), value.clone());
            }
            "items" => {
                compact.insert(key.clone(), convert(value, root, true)?);
            }
            "anyOf" | "oneOf" => {
                let mut parts: Vec<Value> = Vec::new();
                for part in value.as_array().context("a list")? {
                    let part = convert(part, root, true)?;
                    if !parts.contains(&part) {
                        parts.push(part);
                    }
                }
                compact.insert(key.clone(), Value::Array(parts));
            }
            "properties" => {
                let mut properties = Map::new();
                for (name, property) in value.as_object().context("a map")? {
                    let property = if !is_item && PASSED_THROUGH.iter().any(|(key, _)| key == name) {
                        pass_through(&convert(property, root, true)?)
                    } else {
                        convert(property, root, is_item)?
                    };
                    properties.insert(name.clone(), property);
                }
                compact.insert(key.clone(), Value::Object(properties));
            }
            other => bail!("the key `{other}` is not known"),
        }
    }
    if is_item || can_be_map(&compact) && !compact.contains_key("properties") {
        compact.insert(OPEN.to_owned(), Value::from(true));
    }
    Ok(Value::Object(compact))
}

/// Only the type is kept.
fn pass_through(schema: &Value) -> Value {
    let mut open = json!({ OPEN: true });
    if let Some(types) = schema.get("type") {
        open["type"] = types.clone();
    }
    open
}

/// Adds the keys of `values.yaml` that the schema does not know, with the type of their default.
fn join(schema: &mut Value, defaults: &Value) {
    let Value::Object(defaults) = defaults else { return };
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    for (key, default) in defaults {
        match properties.get_mut(key) {
            Some(property) => join(property, default),
            None => {
                properties.insert(key.clone(), inferred(default));
            }
        }
    }
}

fn inferred(default: &Value) -> Value {
    match default {
        Value::Null => json!({}),
        Value::Bool(_) => json!({ "type": "boolean" }),
        Value::Number(number) if number.is_f64() => json!({ "type": "number" }),
        Value::Number(_) => json!({ "type": "integer" }),
        Value::String(_) => json!({ "type": "string" }),
        Value::Array(_) => {
            json!({ "type": "array", "items": { OPEN: true } })
        }
        Value::Object(members) if members.is_empty() => {
            json!({ "type": "object", OPEN: true })
        }
        Value::Object(members) => {
            let properties: Map<_, _> =
                members.iter().map(|(key, member)| (key.clone(), inferred(member))).collect();
            json!({ "type": "object", "properties": properties })
        }
    }
}

/// Puts a key into a schema that does not know it yet; the map in which it stands is closed by that.
fn allow(schema: &mut Value, path: &str, allowed: Value) -> Result<()> {
    let mut at = schema;
    let (parents, key) = path.rsplit_once('.').map_or((None, path), |(parents, key)| (Some(parents), key));
    for parent in parents.into_iter().flat_map(|parents| parents.split('.')) {
        at = at.get_mut("properties").and_then(|properties| properties.get_mut(parent)).with_context(
            || format!("`{path}` is allowed, but there is no `{parent}` in which it could stand"),
        )?;
    }
    let at = at.as_object_mut().context("a schema is a map")?;
    at.remove(OPEN);
    let properties = at.entry("properties").or_insert_with(|| json!({}));
    if properties.get(key).is_some() {
        bail!("`{path}` need not be allowed: the chart knows it");
    }
    properties[key] = allowed;
    Ok(())
}
