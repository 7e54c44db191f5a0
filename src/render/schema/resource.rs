//! Objects, each against the schema of its kind.

use serde_json::{Map, Value};

use super::catalog::{self, Kind};
use super::check::Findings;
use super::default::fill_in;
use super::definition::{Schema, Scope};
use super::metadata::{self, Naming};
use super::path::Path;
use super::problem::{ResourceMistake, ResourceProblem, shown};
use crate::config::cluster::Versions;

/// Keys that each object has besides those of its schema.
const ENVELOPE: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Everything that is wrong with an object; nothing means that an API server with the definitions of `versions`
/// takes it and keeps every key of it.
///
/// Stricter than a server, on purpose: of `metadata` only the keys that a person writes, no `status`, no Secret.
#[must_use]
pub fn validate_resource(object: &Value, versions: &Versions) -> Vec<ResourceProblem> {
    let mut findings = Findings::default();
    let Value::Object(members) = object else {
        let mistake = ResourceMistake::WrongType { found: shown(object), expected: "a map".to_owned() };
        findings.add(&Path::Root, mistake);
        return findings.problems;
    };
    let (Some(api_version), Some(kind)) =
        (text(members, "apiVersion", &mut findings), text(members, "kind", &mut findings))
    else {
        return findings.problems;
    };
    match catalog::find(api_version, kind, versions) {
        Err(mistake) => findings.add(&Path::Root, mistake),
        Ok(Kind::Core) => {
            metadata::check(object, kind, Scope::Cluster, Naming::Label, &mut findings);
            check_body(&Schema::default(), members, &mut findings);
        }
        Ok(Kind::Custom(definition, schema)) => {
            metadata::check(object, kind, definition.scope, Naming::Subdomain, &mut findings);
            check_body(schema, members, &mut findings);
        }
    }
    findings.problems
}

fn text<'a>(members: &'a Map<String, Value>, key: &str, findings: &mut Findings) -> Option<&'a str> {
    match members.get(key) {
        Some(Value::String(text)) => return Some(text),
        Some(other) => {
            let mistake = ResourceMistake::WrongType { found: shown(other), expected: "a string".to_owned() };
            findings.add(&Path::Root.key(key), mistake);
        }
        None => findings.add(&Path::Root, ResourceMistake::MissingKey { key: key.to_owned() }),
    }
    None
}

fn check_body(schema: &Schema, members: &Map<String, Value>, findings: &mut Findings) {
    let body = members.iter().filter(|(key, _)| !ENVELOPE.contains(&key.as_str()));
    let mut body = Value::Object(body.map(|(key, value)| (key.clone(), value.clone())).collect());
    findings.unknown_keys(schema, &body, &Path::Root);
    fill_in(schema, &mut body);
    findings.structure(schema, &body, &Path::Root);
    if findings.problems.is_empty() {
        findings.rules(schema, &body, &Path::Root);
    }
}
