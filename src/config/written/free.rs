//! Values whose structure another program defines, such as Helm values. Every part keeps its span.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::de::DeValue;

use super::leaf::{Integer, Text};
use super::shape::{Decode, TomlValue, spanned, wrong_type};
use crate::config::diagnostics::Problems;
use crate::config::source::Spanned;

#[derive(Debug, Clone, PartialEq)]
pub enum FreeValue {
    Boolean(bool),
    Float(f64),
    Integer(i64),
    List(Vec<Spanned<FreeValue>>),
    String(String),
    Table(Vec<(Text, Spanned<FreeValue>)>),
}

impl Spanned<FreeValue> {
    /// Returns the value at a path of keys, if one is written.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        let FreeValue::Table(entries) = &self.value else { return None };
        entries.iter().find(|(key, _)| key.value == *first)?.1.at(rest)
    }
}

impl Decode for Spanned<FreeValue> {
    fn decode(path: &str, value: &TomlValue<'_>, problems: &mut Problems) -> Option<Self> {
        let free = match value.get_ref() {
            DeValue::Boolean(on) => FreeValue::Boolean(*on),
            DeValue::Float(number) => match number.as_str().parse() {
                Ok(number) if f64::is_finite(number) => FreeValue::Float(number),
                _ => {
                    let instead = Some("write a finite number: JSON has neither `nan` nor `inf`".to_owned());
                    return wrong_type(path, value, "a JSON value", instead, problems);
                }
            },
            DeValue::Integer(_) => FreeValue::Integer(Integer::decode(path, value, problems)?.value),
            DeValue::String(text) => FreeValue::String(text.to_string()),
            DeValue::Datetime(_) => {
                let instead = Some("put it in quotes".to_owned());
                return wrong_type(path, value, "a JSON value", instead, problems);
            }
            DeValue::Array(items) => FreeValue::List(
                items.iter().filter_map(|item| Self::decode(&format!("[{path}]"), item, problems)).collect(),
            ),
            DeValue::Table(table) => {
                let entries = table.iter().filter_map(|(key, value)| {
                    let name = Spanned::new(key.get_ref().to_string(), key.span().into());
                    Self::decode(&format!("{path}.{}", name.value), value, problems)
                        .map(|value| (name, value))
                });
                FreeValue::Table(entries.collect())
            }
        };
        Some(spanned(free, value))
    }
}

impl JsonSchema for FreeValue {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "FreeValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}
