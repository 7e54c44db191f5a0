//! Compiles a JSON Schema with the keywords and formats of Kubernetes.

use std::collections::HashMap;

use jsonschema::{Draft, Keyword, PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value};

use super::format::FORMATS;
use super::rule;

const LIST_TYPE: &str = "x-kubernetes-list-type";

pub(super) fn compile(schema: &Value) -> Option<Validator> {
    // Patterns are Go's (RE2), as the `regex` crate has them: no look-around, linear time.
    let mut options = jsonschema::options()
        .with_draft(Draft::Draft7)
        .should_validate_formats(true)
        .with_pattern_options(PatternOptions::regex())
        .with_keyword(rule::KEYWORD, |_, rules, _| Ok(rule::keyword(rules)))
        .with_keyword(LIST_TYPE, |schema, _, _| Ok(list_type(schema)));
    for format in FORMATS {
        options = options.with_format(format.name, format.matches);
    }
    options.build(schema).ok()
}

/// The keys in which the items of a list differ: `set` for the whole item, `map` for the keys of
/// `x-kubernetes-list-map-keys`.
struct Distinct(Vec<String>);

fn list_type(schema: &Map<String, Value>) -> Box<dyn for<'i> Keyword<'i>> {
    let keys = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
    let keys = keys.into_iter().flatten().filter_map(Value::as_str);
    Box::new(Distinct(keys.map(str::to_owned).collect()))
}

impl Distinct {
    fn duplicates(&self, list: &Value) -> Vec<String> {
        let mut seen: HashMap<Vec<Option<&Value>>, usize> = HashMap::new();
        let mut found = Vec::new();
        for (index, item) in list.as_array().into_iter().flatten().enumerate() {
            let identity = match self.0.as_slice() {
                [] => vec![Some(item)],
                keys => keys.iter().map(|key| item.get(key)).collect(),
            };
            if let Some(first) = seen.get(&identity) {
                found.push(format!("items {first} and {index} are the same{}", self.by()));
            } else {
                seen.insert(identity, index);
            }
        }
        found
    }

    fn by(&self) -> String {
        let keys: Vec<_> = self.0.iter().map(|key| format!("`{key}`")).collect();
        if keys.is_empty() { String::new() } else { format!(" by {}", keys.join(" and ")) }
    }
}

impl<'i> Keyword<'i> for Distinct {
    fn validate(&self, list: &'i Value) -> Result<(), ValidationError<'i>> {
        self.duplicates(list).into_iter().next().map_or(Ok(()), |found| Err(ValidationError::custom(found)))
    }

    fn is_valid(&self, list: &'i Value) -> bool {
        self.duplicates(list).is_empty()
    }

    fn iter_errors(&self, list: &'i Value) -> Box<dyn Iterator<Item = ValidationError<'i>> + 'i> {
        let error = |found| -> ValidationError<'i> { ValidationError::custom(found) };
        Box::new(self.duplicates(list).into_iter().map(error))
    }
}
