//! The schema of `metadata`, with the keys that a person writes (apimachinery, `pkg/api/validation/objectmeta.go`).

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::definition::{Schema, Scope};

static CLUSTER: LazyLock<Schema> = LazyLock::new(|| schema("subdomain", false));
static NAMESPACED: LazyLock<Schema> = LazyLock::new(|| schema("subdomain", true));
/// A namespace is a label in names of services, so it has no dot.
pub(super) static NAMESPACE: LazyLock<Schema> = LazyLock::new(|| schema("label", false));

pub(super) fn of(scope: Scope) -> &'static Schema {
    match scope {
        Scope::Cluster => &CLUSTER,
        Scope::Namespaced => &NAMESPACED,
    }
}

fn schema(name: &str, has_namespace: bool) -> Schema {
    let mut schema = json!({
        "type": "object",
        "required": ["name"],
        "additionalProperties": false,
        "properties": {
            "annotations": {
                "type": "object",
                "propertyNames": { "format": "annotation-key" },
                "additionalProperties": { "type": "string" },
            },
            "labels": {
                "type": "object",
                "propertyNames": { "format": "label-key" },
                "additionalProperties": { "type": "string", "format": "label-value" },
            },
            "name": { "type": "string", "format": name },
        },
    });
    if has_namespace {
        schema["required"] = json!(["name", "namespace"]);
        schema["properties"]["namespace"] = json!({ "type": "string", "format": "label" });
    }
    Schema::new(schema)
}

/// The limit for all keys and values of annotations together.
pub(super) const ANNOTATIONS_LIMIT: usize = 256 * 1024;

/// Returns the size of an object's annotations in bytes.
pub(super) fn annotations_size(object: &Value) -> usize {
    let annotations = object.pointer("/metadata/annotations").and_then(Value::as_object);
    let size = |(key, value): (&String, &Value)| key.len() + value.as_str().map_or(0, str::len);
    annotations.into_iter().flatten().map(size).sum()
}
