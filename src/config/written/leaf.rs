//! Values that are not tables: strings, numbers, booleans, lists, and maps whose keys the user chooses.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use toml::de::DeValue;

use super::shape::{
    Attempt, Decode, Notation, Required, ShapeMistake, TomlValue, last_key, spanned, wrong_type,
};
use crate::config::diagnostics::Problems;
use crate::config::source::{Spanned, schema_of_inner};

pub type Text = Spanned<String>;
pub type Integer = Spanned<i64>;
pub type Switch = Spanned<bool>;
/// A table whose keys are names that the user chooses, in the order of the names.
#[derive(Debug)]
pub struct Named<T>(pub Vec<(Text, T)>);

impl Decode for Text {
    fn decode(path: &str, value: &TomlValue<'_>, problems: &mut Problems) -> Option<Self> {
        match value.get_ref() {
            DeValue::String(text) => Some(spanned(text.to_string(), value)),
            DeValue::Integer(number) => quoted(path, value, &number.to_string(), problems),
            DeValue::Float(number) => quoted(path, value, &number.to_string(), problems),
            DeValue::Array(items) => {
                let first = items.first().and_then(|item| item.get_ref().as_str()).unwrap_or("…");
                let instead = format!("write one value without brackets: `{} = \"{first}\"`", last_key(path));
                wrong_type(path, value, "a string", Some(instead), problems)
            }
            _ => wrong_type(path, value, "a string", None, problems),
        }
    }
}

fn quoted(path: &str, value: &TomlValue<'_>, text: &str, problems: &mut Problems) -> Option<Text> {
    let instead = format!("put it in quotes: `{} = \"{text}\"`", last_key(path));
    wrong_type(path, value, "a string", Some(instead), problems)
}

impl Decode for Integer {
    fn decode(path: &str, value: &TomlValue<'_>, problems: &mut Problems) -> Option<Self> {
        match value.get_ref() {
            DeValue::Integer(number) => {
                let parsed = i64::from_str_radix(number.as_str(), number.radix());
                if parsed.is_err() {
                    let mistake = ShapeMistake::IntegerRange { name: last_key(path) };
                    problems.error(value.span().into(), mistake);
                }
                parsed.ok().map(|number| spanned(number, value))
            }
            DeValue::String(text) => {
                let number: Option<i64> = text.trim().parse().ok();
                let key = last_key(path);
                let instead = match number {
                    Some(number) => Some(format!("remove the quotes: `{key} = {number}`")),
                    None => {
                        as_plain(text).map(|number| format!("write it as one number: `{key} = {number}`"))
                    }
                };
                wrong_type(path, value, "an integer", instead, problems)
            }
            _ => wrong_type(path, value, "an integer", None, problems),
        }
    }
}

/// Returns the number of an autonomous system that is written with a dot (RFC 5396, `asdot`).
fn as_plain(text: &str) -> Option<u32> {
    let (high, low) = text.split_once('.')?;
    Some(u32::from(high.parse::<u16>().ok()?) << 16 | u32::from(low.parse::<u16>().ok()?))
}

impl Decode for Switch {
    fn decode(path: &str, value: &TomlValue<'_>, problems: &mut Problems) -> Option<Self> {
        match value.get_ref() {
            DeValue::Boolean(on) => Some(spanned(*on, value)),
            _ => wrong_type(path, value, "a boolean", Some("write `true` or `false`".to_owned()), problems),
        }
    }
}

/// Decodes a list. Invalid items are noted and omitted.
impl<T: Decode> Decode for Vec<T> {
    const NOTATION: Notation = match T::NOTATION {
        Notation::Table => Notation::Tables,
        notation => notation,
    };

    fn decode(path: &str, value: &TomlValue<'_>, problems: &mut Problems) -> Option<Self> {
        match value.get_ref() {
            DeValue::Array(items) => {
                let item_path = format!("[{path}]");
                Some(items.iter().filter_map(|item| T::decode(&item_path, item, problems)).collect())
            }
            DeValue::Table(_) if T::NOTATION == Notation::Table => {
                let instead = Some(format!("write the header as `[[{path}]]`"));
                wrong_type(path, value, "a list of tables", instead, problems)
            }
            _ => wrong_type(path, value, "a list", Some("put it in brackets: `[…]`".to_owned()), problems),
        }
    }
}

impl<T: Decode> Decode for Spanned<Vec<T>> {
    fn decode(path: &str, value: &TomlValue<'_>, problems: &mut Problems) -> Option<Self> {
        Vec::decode(path, value, problems).map(|items| spanned(items, value))
    }
}

impl<T: Decode> Decode for Spanned<Named<T>> {
    const NOTATION: Notation = Notation::Table;

    fn decode(path: &str, value: &TomlValue<'_>, problems: &mut Problems) -> Option<Self> {
        Named::decode(path, value, problems).map(|named| spanned(named, value))
    }
}

impl<T: Decode> Decode for Named<T> {
    const NOTATION: Notation = Notation::Table;

    fn decode(path: &str, value: &TomlValue<'_>, problems: &mut Problems) -> Option<Self> {
        let DeValue::Table(table) = value.get_ref() else {
            return wrong_type(path, value, "a table", None, problems);
        };
        let entries = table.iter().filter_map(|(key, value)| {
            let name = Spanned::new(key.get_ref().to_string(), key.span().into());
            // Messages name a table by its header, and another value by its key.
            let path = match T::NOTATION {
                Notation::Value => name.value.clone(),
                _ => format!("{path}.{}", as_key(&name.value)),
            };
            T::decode(&path, value, problems).map(|value| (name, value))
        });
        Some(Self(entries.collect()))
    }
}

/// Returns a name as a key of TOML, in quotes if it needs them.
fn as_key(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if !name.is_empty() && name.bytes().all(is_bare) { name.to_owned() } else { format!("{name:?}") }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Named_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, T>::json_schema(generator)
    }
}

schema_of_inner!(Attempt);
schema_of_inner!(Required);
