//! `metadata`: the four keys of it that a person writes (apimachinery, `pkg/api/validation/objectmeta.go`).

use serde_json::{Map, Value};

use super::check::Findings;
use super::definition::Scope;
use super::label::{is_label, is_qualified_part};
use super::path::Path;
use super::problem::{ResourceMistake, nearest, shown};

const KEYS: [&str; 4] = ["annotations", "labels", "name", "namespace"];

/// Of all keys and values together.
const ANNOTATIONS_LIMIT: usize = 256 * 1024;

/// How an object of a kind is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// Lower-case letters, digits, `-` and `.`, up to 253 characters.
    Subdomain,
    /// The same without `.`, up to 63 characters.
    Label,
}

pub(super) fn check(object: &Value, kind: &str, scope: Scope, naming: Naming, findings: &mut Findings) {
    let Some(metadata) = object.get("metadata") else {
        return findings.add(&Path::Root, ResourceMistake::MissingKey { key: "metadata".to_owned() });
    };
    let path = Path::Root.key("metadata");
    let Value::Object(members) = metadata else {
        let mistake = ResourceMistake::WrongType { found: shown(metadata), expected: "a map".to_owned() };
        return findings.add(&path, mistake);
    };
    for key in members.keys().filter(|key| !KEYS.contains(&key.as_str())) {
        let mistake = ResourceMistake::UnknownKey {
            key: key.clone(),
            nearest: nearest(key, KEYS.into_iter()),
            known: KEYS.map(str::to_owned).to_vec(),
        };
        findings.add(&path.key(key), mistake);
    }
    check_name(members, "name", naming, &path, findings);
    match (scope, members.get("namespace")) {
        (Scope::Namespaced, _) => check_name(members, "namespace", Naming::Label, &path, findings),
        (Scope::Cluster, Some(_)) => {
            findings.add(&path.key("namespace"), ResourceMistake::Namespace { kind: kind.to_owned() });
        }
        (Scope::Cluster, None) => {}
    }
    check_labels(members, &path, findings);
    check_annotations(members, &path, findings);
}

fn check_name(
    members: &Map<String, Value>,
    key: &str,
    naming: Naming,
    path: &Path<'_>,
    findings: &mut Findings,
) {
    let (limit, expected) = match naming {
        Naming::Subdomain => (253, "lower-case letters, digits, `-` and `.`"),
        Naming::Label => (63, "up to 63 lower-case letters, digits and `-`"),
    };
    match members.get(key) {
        None => findings.add(path, ResourceMistake::MissingKey { key: key.to_owned() }),
        Some(Value::String(name)) => {
            let is_name = name.len() <= limit
                && match naming {
                    Naming::Subdomain => name.split('.').all(is_label),
                    Naming::Label => is_label(name),
                };
            if !is_name {
                let found = shown(&Value::from(name.as_str()));
                findings.add(&path.key(key), ResourceMistake::Name { found, expected });
            }
        }
        Some(value) => {
            let mistake = ResourceMistake::WrongType { found: shown(value), expected: "a string".to_owned() };
            findings.add(&path.key(key), mistake);
        }
    }
}

/// `name` or `prefix/name`, the prefix a subdomain.
fn is_qualified_name(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => {
            prefix.len() <= 253 && prefix.split('.').all(is_label) && is_qualified_part(name)
        }
        None => is_qualified_part(key),
    }
}

fn check_labels(members: &Map<String, Value>, path: &Path<'_>, findings: &mut Findings) {
    let path = path.key("labels");
    for (key, text) in strings(members.get("labels"), &path, findings) {
        check_key(key, is_qualified_name(key), &path, findings);
        if !text.is_empty() && !is_qualified_part(text) {
            let found = shown(&Value::from(text));
            let expected = "up to 63 letters, digits, `-`, `_` and `.`";
            findings.add(&path.key(key), ResourceMistake::Name { found, expected });
        }
    }
}

fn check_annotations(members: &Map<String, Value>, path: &Path<'_>, findings: &mut Findings) {
    let path = path.key("annotations");
    let mut count = 0;
    for (key, text) in strings(members.get("annotations"), &path, findings) {
        check_key(key, is_qualified_name(&key.to_lowercase()), &path, findings);
        count += key.len() + text.len();
    }
    if count > ANNOTATIONS_LIMIT {
        findings.add(&path, ResourceMistake::AnnotationsTooLarge { count, maximum: ANNOTATIONS_LIMIT });
    }
}

fn check_key(key: &str, is_name: bool, path: &Path<'_>, findings: &mut Findings) {
    if !is_name {
        let found = shown(&Value::from(key));
        let expected = "a name such as `app` or `example.org/app`";
        findings.add(&path.key(key), ResourceMistake::Name { found, expected });
    }
}

/// The members of a map of strings; what is not a string is noted.
fn strings<'a>(map: Option<&'a Value>, path: &Path<'_>, findings: &mut Findings) -> Vec<(&'a str, &'a str)> {
    let mut wrong = |path: &Path<'_>, found: &Value, expected: &str| {
        let mistake = ResourceMistake::WrongType { found: shown(found), expected: expected.to_owned() };
        findings.add(path, mistake);
    };
    let members = match map {
        None => return Vec::new(),
        Some(Value::Object(members)) => members,
        Some(other) => {
            wrong(path, other, "a map");
            return Vec::new();
        }
    };
    members
        .iter()
        .filter_map(|(key, value)| match value {
            Value::String(text) => Some((key.as_str(), text.as_str())),
            other => {
                wrong(&path.key(key), other, "a string");
                None
            }
        })
        .collect()
}
