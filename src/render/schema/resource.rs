//! Checks objects, each against the schema of its kind.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::catalog::{self, Kind};
use super::definition::{Schema, Scope};
use super::problem::{ResourceMistake, ResourceProblem, shown};
use super::{metadata, validator};
use crate::config::cluster::Versions;

/// Keys that each object has besides those of its schema.
const ENVELOPE: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// A kind that has nothing but metadata.
static NO_KEYS: LazyLock<Schema> =
    LazyLock::new(|| Schema::new(json!({ "type": "object", "maxProperties": 0 })));

/// Returns everything that is wrong with an object. If nothing is, an API server with the definitions of `versions`
/// accepts it and keeps each of its keys.
///
/// Deliberately stricter than a server: of `metadata` only the keys that a person writes, no `status`, no Secret.
#[must_use]
pub fn validate_resource(object: &Value, versions: &Versions) -> Vec<ResourceProblem> {
    let mut problems = Vec::new();
    let Value::Object(members) = object else {
        let mistake = ResourceMistake::WrongType { found: shown(object), expected: "a map".to_owned() };
        return vec![ResourceProblem { path: String::new(), mistake }];
    };
    let (Some(api_version), Some(kind)) =
        (text(members, "apiVersion", &mut problems), text(members, "kind", &mut problems))
    else {
        return problems;
    };
    match catalog::find(api_version, kind, versions) {
        Err(mistake) => problems.push(ResourceProblem { path: String::new(), mistake }),
        Ok(Kind::Namespace) => {
            check_metadata(&metadata::NAMESPACE, Scope::Cluster, kind, object, &mut problems);
            check_body(&NO_KEYS, members, &mut problems);
        }
        Ok(Kind::Custom(definition, schema)) => {
            check_metadata(metadata::of(definition.scope), definition.scope, kind, object, &mut problems);
            check_body(schema, members, &mut problems);
        }
    }
    problems
}

fn text<'a>(
    members: &'a Map<String, Value>,
    key: &str,
    problems: &mut Vec<ResourceProblem>,
) -> Option<&'a str> {
    let (path, mistake) = match members.get(key) {
        Some(Value::String(text)) => return Some(text),
        Some(other) => {
            (key, ResourceMistake::WrongType { found: shown(other), expected: "a string".to_owned() })
        }
        None => ("", ResourceMistake::MissingKey { key: key.to_owned() }),
    };
    problems.push(ResourceProblem { path: path.to_owned(), mistake });
    None
}

fn check_metadata(
    schema: &Schema,
    scope: Scope,
    kind: &str,
    object: &Value,
    problems: &mut Vec<ResourceProblem>,
) {
    let Some(metadata) = object.get("metadata") else {
        let mistake = ResourceMistake::MissingKey { key: "metadata".to_owned() };
        return problems.push(ResourceProblem { path: String::new(), mistake });
    };
    problems.extend(validator::problems(schema, metadata, "metadata").into_iter().map(|mut problem| {
        if scope == Scope::Cluster && problem.path == "metadata.namespace" {
            problem.mistake = ResourceMistake::Namespace { kind: kind.to_owned() };
        }
        problem
    }));
    let count = metadata::annotations_size(object);
    if count > metadata::ANNOTATIONS_LIMIT {
        let mistake = ResourceMistake::AnnotationsTooLarge { count, maximum: metadata::ANNOTATIONS_LIMIT };
        problems.push(ResourceProblem { path: "metadata.annotations".to_owned(), mistake });
    }
}

fn check_body(schema: &Schema, members: &Map<String, Value>, problems: &mut Vec<ResourceProblem>) {
    let body = members.iter().filter(|(key, _)| !ENVELOPE.contains(&key.as_str()));
    let mut body = Value::Object(body.map(|(key, value)| (key.clone(), value.clone())).collect());
    schema.fill_in_defaults(&mut body);
    let is_metadata_right = problems.is_empty();
    problems.extend(validator::problems(schema, &body, ""));
    if !is_metadata_right {
        problems.retain(|problem| !matches!(problem.mistake, ResourceMistake::Rule { .. }));
    }
}
