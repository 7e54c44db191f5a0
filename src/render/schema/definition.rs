//! The compact form of a schema, as the files in `data` hold it.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

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

/// An `OpenAPI` v3 schema as Kubernetes has them (structural), or a JSON Schema of Helm values.
///
/// Objects are closed: what is neither in `properties` nor allowed by `additional_properties` is unknown, unless
/// `preserve_unknown_fields` says otherwise. `status`, descriptions and the three keys that each object has
/// (`apiVersion`, `kind`, `metadata`) are left out.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Schema {
    #[serde(rename = "type")]
    pub types: Types,
    pub properties: BTreeMap<String, Schema>,
    pub required: Vec<String>,
    pub additional_properties: Option<Box<Schema>>,
    pub preserve_unknown_fields: bool,
    pub items: Option<Box<Schema>>,
    /// `map` or `set`; a list without is taken as it is.
    pub list_type: Option<ListType>,
    pub list_map_keys: Vec<String>,
    pub int_or_string: bool,
    #[serde(rename = "enum")]
    pub choices: Vec<Value>,
    pub pattern: Option<Pattern>,
    pub format: Option<String>,
    pub minimum: Option<f64>,
    pub maximum: Option<f64>,
    /// In characters.
    pub min_length: Option<usize>,
    /// In characters.
    pub max_length: Option<usize>,
    pub min_items: Option<usize>,
    pub max_items: Option<usize>,
    pub min_properties: Option<usize>,
    pub max_properties: Option<usize>,
    pub default: Option<Value>,
    pub all_of: Vec<Schema>,
    pub any_of: Vec<Schema>,
    pub one_of: Vec<Schema>,
    pub not: Option<Box<Schema>>,
    pub rules: Vec<Rule>,
}

/// A rule in CEL (`x-kubernetes-validations`).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub rule: String,
    /// What upstream says when it is broken.
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListType {
    Map,
    Set,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    Array,
    Boolean,
    Integer,
    Null,
    Number,
    Object,
    String,
}

/// The types that a value may have; none means any.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "OneOrMany")]
pub struct Types(pub Vec<Type>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Type),
    Many(Vec<Type>),
}

impl From<OneOrMany> for Types {
    fn from(written: OneOrMany) -> Self {
        match written {
            OneOrMany::One(one) => Self(vec![one]),
            OneOrMany::Many(many) => Self(many),
        }
    }
}

impl Types {
    pub(super) fn allow(&self, value: &Value) -> bool {
        self.0.is_empty() || self.0.iter().any(|each| each.includes(value))
    }
}

impl Type {
    fn includes(self, value: &Value) -> bool {
        match self {
            Self::Array => value.is_array(),
            Self::Boolean => value.is_boolean(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Null => value.is_null(),
            Self::Number => value.is_number(),
            Self::Object => value.is_object(),
            Self::String => value.is_string(),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Array => "a list",
            Self::Boolean => "true or false",
            Self::Integer => "a whole number",
            Self::Null => "null",
            Self::Number => "a number",
            Self::Object => "a map",
            Self::String => "a string",
        }
    }
}

/// A regular expression in Go's syntax (RE2), compiled when it is first needed.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Pattern {
    pub text: String,
    #[serde(skip)]
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// `None` if the expression cannot be compiled.
    pub fn matches(&self, text: &str) -> Option<bool> {
        let compiled = self.compiled.get_or_init(|| {
            // In Go, the Perl classes are ASCII.
            let ascii = self.text.replace(r"\d", "[0-9]").replace(r"\s", r"[\t\n\f\r ]");
            Regex::new(&ascii).ok()
        });
        compiled.as_ref().map(|pattern| pattern.is_match(text))
    }
}
