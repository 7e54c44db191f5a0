//! The walk through a value along its schema.
//!
//! What counts, and in which order, is what apiextensions-apiserver does: unknown keys on the value as it is
//! written, everything else after defaults have been filled in, rules only when nothing else is wrong.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::definition::{ListType, Schema, Type};
use super::format;
use super::path::Path;
use super::problem::{ResourceMistake, ResourceProblem, nearest, shown};
use super::rule;

#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) problems: Vec<ResourceProblem>,
}

impl Findings {
    pub(super) fn add(&mut self, path: &Path<'_>, mistake: ResourceMistake) {
        self.problems.push(ResourceProblem { path: path.to_string(), mistake });
    }

    pub(super) fn unknown_keys(&mut self, schema: &Schema, value: &Value, path: &Path<'_>) {
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    let path = path.key(key);
                    match schema.properties.get(key).or(schema.additional_properties.as_deref()) {
                        Some(member_schema) => self.unknown_keys(member_schema, member, &path),
                        None if schema.preserve_unknown_fields => {}
                        None if !schema.types.allow(value) => {}
                        None => self.unknown_key(schema, key, &path),
                    }
                }
            }
            Value::Array(items) => {
                if let Some(item_schema) = &schema.items {
                    for (index, item) in items.iter().enumerate() {
                        self.unknown_keys(item_schema, item, &path.index(index));
                    }
                }
            }
            _ => {}
        }
    }

    fn unknown_key(&mut self, schema: &Schema, key: &str, path: &Path<'_>) {
        let known = schema.properties.keys();
        let mistake = ResourceMistake::UnknownKey {
            key: key.to_owned(),
            nearest: nearest(key, known.clone().map(String::as_str)),
            known: known.cloned().collect(),
        };
        self.add(path, mistake);
    }

    pub(super) fn structure(&mut self, schema: &Schema, value: &Value, path: &Path<'_>) {
        if !self.has_type(schema, value, path) {
            return;
        }
        self.choice(schema, value, path);
        match value {
            Value::Object(members) => self.object(schema, members, path),
            Value::Array(items) => self.list(schema, items, path),
            Value::String(text) => self.string(schema, text, path),
            Value::Number(_) => self.number(schema, value, path),
            Value::Null | Value::Bool(_) => {}
        }
        self.alternatives(schema, value, path);
    }

    fn has_type(&mut self, schema: &Schema, value: &Value, path: &Path<'_>) -> bool {
        let expected = if schema.int_or_string {
            if value.is_i64() || value.is_u64() || value.is_string() {
                return true;
            }
            "a whole number or a string".to_owned()
        } else if schema.types.allow(value) {
            return true;
        } else {
            schema.types.0.iter().map(|each: &Type| each.name()).collect::<Vec<_>>().join(" or ")
        };
        self.add(path, ResourceMistake::WrongType { found: shown(value), expected });
        false
    }

    fn choice(&mut self, schema: &Schema, value: &Value, path: &Path<'_>) {
        if !schema.choices.is_empty() && !schema.choices.contains(value) {
            let choices: Vec<_> = schema.choices.iter().map(shown).collect();
            let found = shown(value);
            let mistake = ResourceMistake::NotAChoice {
                nearest: nearest(&found, choices.iter().map(String::as_str)),
                found,
                choices,
            };
            self.add(path, mistake);
        }
    }

    fn object(&mut self, schema: &Schema, members: &Map<String, Value>, path: &Path<'_>) {
        for key in &schema.required {
            if !members.contains_key(key) {
                self.add(path, ResourceMistake::MissingKey { key: key.clone() });
            }
        }
        self.count(members.len(), schema.min_properties, schema.max_properties, "keys", path);
        for (key, member) in members {
            let member_schema = schema.properties.get(key).or(schema.additional_properties.as_deref());
            if let Some(member_schema) = member_schema {
                self.structure(member_schema, member, &path.key(key));
            }
        }
    }

    fn list(&mut self, schema: &Schema, items: &[Value], path: &Path<'_>) {
        self.count(items.len(), schema.min_items, schema.max_items, "items", path);
        if let Some(item_schema) = &schema.items {
            for (index, item) in items.iter().enumerate() {
                self.structure(item_schema, item, &path.index(index));
            }
        }
        if let Some(list_type) = schema.list_type {
            self.duplicates(list_type, &schema.list_map_keys, items, path);
        }
    }

    fn duplicates(&mut self, list_type: ListType, keys: &[String], items: &[Value], path: &Path<'_>) {
        let mut seen = HashMap::new();
        for (index, item) in items.iter().enumerate() {
            let identity: Vec<_> = match list_type {
                ListType::Set => vec![Some(item)],
                ListType::Map => keys.iter().map(|key| item.get(key)).collect(),
            };
            if let Some(first) = seen.insert(identity.clone(), index) {
                seen.insert(identity, first);
                let mistake = ResourceMistake::Duplicate { first, keys: keys.to_vec() };
                self.add(&path.index(index), mistake);
            }
        }
    }

    fn string(&mut self, schema: &Schema, text: &str, path: &Path<'_>) {
        if schema.min_length.is_some() || schema.max_length.is_some() {
            self.count(text.chars().count(), schema.min_length, schema.max_length, "characters", path);
        }
        let found = || shown(&Value::from(text));
        if let Some(pattern) = &schema.pattern
            && pattern.matches(text) != Some(true)
        {
            self.add(path, ResourceMistake::Pattern { found: found(), pattern: pattern.text.clone() });
        }
        if let Some(expected) = schema.format.as_deref().and_then(|name| format::broken(name, text)) {
            self.add(path, ResourceMistake::Format { found: found(), expected });
        }
    }

    fn number(&mut self, schema: &Schema, value: &Value, path: &Path<'_>) {
        let Some(number) = value.as_f64() else { return };
        let (from, to) = format::range(schema.format.as_deref());
        if let Some(minimum) = schema.minimum.into_iter().chain(from).find(|minimum| number < *minimum) {
            self.add(path, ResourceMistake::TooSmall { found: shown(value), minimum });
        }
        if let Some(maximum) = schema.maximum.into_iter().chain(to).find(|maximum| number > *maximum) {
            self.add(path, ResourceMistake::TooLarge { found: shown(value), maximum });
        }
    }

    fn count(
        &mut self,
        count: usize,
        minimum: Option<usize>,
        maximum: Option<usize>,
        unit: &'static str,
        path: &Path<'_>,
    ) {
        if let Some(minimum) = minimum.filter(|minimum| count < *minimum) {
            self.add(path, ResourceMistake::TooFew { count, minimum, unit });
        }
        if let Some(maximum) = maximum.filter(|maximum| count > *maximum) {
            self.add(path, ResourceMistake::TooMany { count, maximum, unit });
        }
    }

    fn alternatives(&mut self, schema: &Schema, value: &Value, path: &Path<'_>) {
        for part in &schema.all_of {
            self.structure(part, value, path);
        }
        let matching = |parts: &[Schema]| parts.iter().filter(|part| is_satisfied(part, value)).count();
        if !schema.any_of.is_empty() && matching(&schema.any_of) == 0 {
            let mistake =
                ResourceMistake::Alternatives { found: shown(value), count: 0, expected: "one or more" };
            self.add(path, mistake);
        }
        if !schema.one_of.is_empty() {
            let count = matching(&schema.one_of);
            if count != 1 {
                let mistake =
                    ResourceMistake::Alternatives { found: shown(value), count, expected: "exactly one" };
                self.add(path, mistake);
            }
        }
        if schema.not.as_ref().is_some_and(|part| is_satisfied(part, value)) {
            self.add(path, ResourceMistake::Excluded { found: shown(value) });
        }
    }

    /// The rules in CEL. They may take it for granted that the structure is right.
    pub(super) fn rules(&mut self, schema: &Schema, value: &Value, path: &Path<'_>) {
        for each in &schema.rules {
            if !rule::holds(&each.rule, value) {
                let mistake =
                    ResourceMistake::Rule { rule: each.rule.clone(), message: each.message.clone() };
                self.add(path, mistake);
            }
        }
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    let member_schema =
                        schema.properties.get(key).or(schema.additional_properties.as_deref());
                    if let Some(member_schema) = member_schema {
                        self.rules(member_schema, member, &path.key(key));
                    }
                }
            }
            Value::Array(items) => {
                if let Some(item_schema) = &schema.items {
                    for (index, item) in items.iter().enumerate() {
                        self.rules(item_schema, item, &path.index(index));
                    }
                }
            }
            _ => {}
        }
    }
}

fn is_satisfied(schema: &Schema, value: &Value) -> bool {
    let mut findings = Findings::default();
    findings.structure(schema, value, &Path::Root);
    findings.problems.is_empty()
}
