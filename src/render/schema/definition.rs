//! A kind of resource as the files in `data` define it.

use std::sync::OnceLock;

use jsonschema::Validator;
use serde::Deserialize;
use serde_json::Value;

use super::compile::compile;

/// A kind of resource, from its `CustomResourceDefinition`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    pub group: String,
    pub kind: String,
    pub scope: Scope,
    /// Versions with the same schema share one.
    pub schemas: Vec<Served>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Scope {
    Cluster,
    Namespaced,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Served {
    pub versions: Vec<String>,
    pub schema: Schema,
}

/// A JSON Schema, compiled when it is first needed.
///
/// Objects whose keys are known are closed (`additionalProperties: false`). Of the schema of a kind, `status`,
/// descriptions and the three keys that each object has (`apiVersion`, `kind`, `metadata`) are left out. The keywords
/// `x-kubernetes-list-type`, `x-kubernetes-list-map-keys` and `x-kubernetes-validations` have Kubernetes' meaning.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Schema {
    pub json: Value,
    #[serde(skip)]
    validator: OnceLock<Option<Validator>>,
}

impl Schema {
    pub(super) fn new(json: Value) -> Self {
        Self { json, validator: OnceLock::new() }
    }

    /// Returns the compiled schema, or `None` if it is not a JSON Schema, which a test rules out.
    pub fn validator(&self) -> Option<&Validator> {
        self.validator.get_or_init(|| compile(&self.json)).as_ref()
    }

    /// Fills in the defaults of keys that are left out, as an API server does before it validates
    /// (apiextensions-apiserver, `pkg/apiserver/schema/defaulting`).
    ///
    /// A server also replaces a null by the default. Here the null stays and is refused, so that the file says what the
    /// cluster stores.
    pub(super) fn fill_in_defaults(&self, value: &mut Value) {
        fill_in(&self.json, value);
    }
}

fn fill_in(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(members) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            for (key, property) in properties.into_iter().flatten() {
                if let Some(default) = property.get("default")
                    && !members.contains_key(key)
                {
                    members.insert(key.clone(), default.clone());
                }
            }
            for (key, member) in members {
                let known = properties.and_then(|properties| properties.get(key));
                if let Some(below) = known.or(schema.get("additionalProperties")) {
                    fill_in(below, member);
                }
            }
        }
        Value::Array(items) => {
            if let Some(below) = schema.get("items") {
                for item in items {
                    fill_in(below, item);
                }
            }
        }
        _ => {}
    }
}
