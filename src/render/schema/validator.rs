//! Words what a compiled schema finds as problems.
//!
//! What counts, and in which order, follows apiextensions-apiserver: rules in CEL count only when nothing else is wrong.

use std::collections::HashSet;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::{Location, LocationSegment};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

use super::definition::Schema;
use super::format::FORMATS;
use super::problem::{ResourceMistake, ResourceProblem, shown};
use super::rule;
use crate::common::nearest::nearest;

/// Returns everything that is wrong with a value. Paths begin with `root`, which is empty for the object itself.
pub(super) fn problems(schema: &Schema, value: &Value, root: &str) -> Vec<ResourceProblem> {
    let Some(validator) = schema.validator() else {
        let mistake = ResourceMistake::NoSchema { what: "this object".to_owned(), known: Vec::new() };
        return vec![ResourceProblem { path: root.to_owned(), mistake }];
    };
    let errors: Vec<_> = validator.iter_errors(value).collect();
    // A value of the wrong type breaks other conditions as well, which say nothing more.
    let mistyped: HashSet<_> = errors
        .iter()
        .filter(|error| matches!(error.kind(), ValidationErrorKind::Type { .. }))
        .map(|error| error.instance_path().as_str())
        .collect();
    let is_more_than_type = |error: &&ValidationError<'_>| {
        matches!(error.kind(), ValidationErrorKind::Type { .. })
            || !mistyped.contains(error.instance_path().as_str())
    };
    let mut found: Vec<_> =
        errors.iter().filter(is_more_than_type).flat_map(|error| worded(error, schema, root)).collect();
    let is_rule = |problem: &ResourceProblem| matches!(problem.mistake, ResourceMistake::Rule { .. });
    if !found.iter().all(is_rule) {
        found.retain(|problem| !is_rule(problem));
    }
    found
}

/// Words an error. One about unknown keys becomes a problem for each key.
fn worded(error: &ValidationError<'_>, schema: &Schema, root: &str) -> Vec<ResourceProblem> {
    use ValidationErrorKind as Kind;
    let value = error.instance().as_ref();
    let path = path(root, error.instance_path());
    let found = || shown(value);
    let count = |unit| match (value, unit) {
        (Value::Array(items), _) => items.len(),
        (Value::Object(members), _) => members.len(),
        (other, _) => other.as_str().map_or(0, |text| text.chars().count()),
    };
    let few = |limit: u64, unit| ResourceMistake::TooFew { count: count(unit), minimum: limit, unit };
    let many = |limit: u64, unit| ResourceMistake::TooMany { count: count(unit), maximum: limit, unit };
    let mistake = match error.kind() {
        Kind::AdditionalProperties { unexpected } => {
            let known = known_keys(schema, error.schema_path());
            return unexpected.iter().map(|key| unknown_key(key, &known, &path)).collect();
        }
        // A closed map without any known key.
        Kind::MaxProperties { limit: 0 } => {
            let keys = value.as_object().into_iter().flatten().map(|(key, _)| key);
            return keys.map(|key| unknown_key(key, &[], &path)).collect();
        }
        Kind::PropertyNames { error } => {
            let key = error.instance().as_str().unwrap_or_default();
            let mistake = format_mistake(error)
                .unwrap_or(ResourceMistake::NotAllowed { found: shown(error.instance()) });
            return vec![ResourceProblem { path: below(&path, key), mistake }];
        }
        Kind::Required { property } => {
            ResourceMistake::MissingKey { key: property.as_str().unwrap_or_default().to_owned() }
        }
        Kind::Type { kind } => ResourceMistake::WrongType { found: found(), expected: type_names(kind) },
        Kind::Enum { options } => not_a_choice(&found(), options),
        Kind::Pattern { pattern } => ResourceMistake::Pattern { found: found(), pattern: pattern.clone() },
        Kind::Minimum { limit } => ResourceMistake::TooSmall { found: found(), minimum: limit.to_string() },
        Kind::Maximum { limit } => ResourceMistake::TooLarge { found: found(), maximum: limit.to_string() },
        Kind::MinItems { limit } => few(*limit, "items"),
        Kind::MaxItems { limit } => many(*limit, "items"),
        Kind::MinLength { limit } => few(*limit, "characters"),
        Kind::MaxLength { limit } => many(*limit, "characters"),
        Kind::MinProperties { limit } => few(*limit, "keys"),
        Kind::MaxProperties { limit } => many(*limit, "keys"),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => ResourceMistake::NoAlternative { found: found() },
        Kind::OneOfMultipleValid { .. } => ResourceMistake::SeveralAlternatives { found: found() },
        Kind::Custom { keyword, message } if keyword == rule::KEYWORD => {
            broken_rule(schema, error.schema_path(), message)
        }
        Kind::Custom { message, .. } => ResourceMistake::Duplicate { message: message.clone() },
        _ => format_mistake(error).unwrap_or_else(|| ResourceMistake::NotAllowed { found: found() }),
    };
    vec![ResourceProblem { path, mistake }]
}

fn unknown_key(key: &str, known: &[&str], path: &str) -> ResourceProblem {
    let mistake = ResourceMistake::UnknownKey {
        key: key.to_owned(),
        nearest: nearest(key, known.iter().copied()).map(str::to_owned),
        known: known.iter().map(|key| (*key).to_owned()).collect(),
    };
    ResourceProblem { path: below(path, key), mistake }
}

fn format_mistake(error: &ValidationError<'_>) -> Option<ResourceMistake> {
    let ValidationErrorKind::Format { format } = error.kind() else { return None };
    let expected = FORMATS.iter().find(|each| each.name == format)?.expected;
    Some(ResourceMistake::Format { found: shown(error.instance()), expected })
}

fn not_a_choice(found: &str, options: &Value) -> ResourceMistake {
    let choices: Vec<_> = options.as_array().into_iter().flatten().map(shown).collect();
    let nearest = nearest(found, choices.iter().map(String::as_str)).map(str::to_owned);
    ResourceMistake::NotAChoice { found: found.to_owned(), nearest, choices }
}

/// The keys of the map that the keyword at `place` has closed.
fn known_keys<'a>(schema: &'a Schema, place: &Location) -> Vec<&'a str> {
    let closed = place.as_str().rsplit_once('/').map_or("", |(closed, _)| closed);
    let properties = schema.json.pointer(&format!("{closed}/properties")).and_then(Value::as_object);
    properties.into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

fn broken_rule(schema: &Schema, place: &Location, index: &str) -> ResourceMistake {
    let rule = schema.json.pointer(&format!("{}/{index}", place.as_str()));
    let text = |key| rule.and_then(|rule| rule[key].as_str()).unwrap_or_default().to_owned();
    ResourceMistake::Rule { rule: text("rule"), message: text("message") }
}

fn type_names(kind: &TypeKind) -> String {
    let name = |kind| match kind {
        JsonType::Array => "a list",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Null => "null",
        JsonType::Number => "a number",
        JsonType::Object => "a map",
        JsonType::String => "a string",
    };
    match kind {
        TypeKind::Single(kind) => name(*kind).to_owned(),
        TypeKind::Multiple(kinds) => kinds.iter().map(name).collect::<Vec<_>>().join(" or "),
    }
}

/// A path as `kubectl` writes it: `spec.peers[0].name`, `metadata.labels[app.kubernetes.io/name]`.
fn path(root: &str, place: &Location) -> String {
    place.iter().fold(root.to_owned(), |path, segment| match segment {
        LocationSegment::Property(key) => below(&path, &key),
        LocationSegment::Index(index) => format!("{path}[{index}]"),
    })
}

fn below(path: &str, key: &str) -> String {
    match (path, key.contains(['.', '/'])) {
        (_, true) => format!("{path}[{key}]"),
        ("", false) => key.to_owned(),
        (_, false) => format!("{path}.{key}"),
    }
}
