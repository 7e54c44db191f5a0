//! Objects that are wrong in one place, or right in an unusual one, and what is said of each.

use std::fmt::Write;

use rk1::config::diagnostics::Mistake;
use rk1::render::schema::validate_resource;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use snapbox::{Data, assert_data_eq};

use crate::objects::{Object, read, written_by_hand};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    /// The title of an object; `(original)` behind it means that of the original's pair.
    of: String,
    #[serde(default)]
    set: Map<String, Value>,
    #[serde(default)]
    remove: Vec<String>,
    /// Whether a server would take it.
    #[serde(default)]
    stricter: bool,
}

pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) object: Object,
    pub(crate) is_stricter: bool,
}

pub(crate) fn all() -> Vec<Case> {
    let objects = written_by_hand();
    let cases = read("cases.yaml").remove(0);
    let cases: Vec<Written> = serde_json::from_value(cases).expect("cases");
    let mut all: Vec<_> = cases
        .into_iter()
        .map(|case| {
            let (title, is_original) =
                case.of.strip_suffix(" (original)").map_or((case.of.as_str(), false), |title| (title, true));
            let wanted = |object: &&Object| {
                object.title() == title && (object.versions.cilium.minor == 16) == is_original
            };
            let mut object = objects.iter().find(wanted).unwrap_or_else(|| panic!("no {}", case.of)).clone();
            for (pointer, value) in case.set {
                set(&mut object.value, &pointer, value);
            }
            for pointer in &case.remove {
                remove(&mut object.value, pointer);
            }
            Case { name: case.name, object, is_stricter: case.stricter }
        })
        .collect();
    let rich = objects.iter().find(|object| object.title() == "HTTPRoute rich").expect("a route");
    all.extend([("129 matches", 43), ("128 matches", 42)].map(|(name, rest)| {
        let mut object = rich.clone();
        let rule = |count: u8| {
            let paths: Vec<_> =
                (0..count).map(|at| json!({ "path": { "value": format!("/{at}") } })).collect();
            json!({ "matches": paths })
        };
        object.value["spec"]["rules"] = json!([rule(43), rule(43), rule(rest)]);
        Case { name: name.to_owned(), object, is_stricter: false }
    }));
    all
}

/// RFC 6901: the part before the last `/`, and what is behind it.
fn parent<'a>(object: &'a mut Value, pointer: &str) -> (&'a mut Value, String) {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let key = key.replace("~1", "/").replace("~0", "~");
    (object.pointer_mut(parent).unwrap_or_else(|| panic!("no {pointer}")), key)
}

fn set(object: &mut Value, pointer: &str, value: Value) {
    match parent(object, pointer) {
        (Value::Object(members), key) => drop(members.insert(key, value)),
        (Value::Array(items), index) => {
            let index: usize = index.parse().expect("an index");
            if index == items.len() { items.push(value) } else { items[index] = value }
        }
        _ => panic!("nothing can be put at {pointer}"),
    }
}

fn remove(object: &mut Value, pointer: &str) {
    let (parent, key) = parent(object, pointer);
    let removed = parent.as_object_mut().and_then(|members| members.remove(&key));
    assert!(removed.is_some(), "no {pointer}");
}

#[test]
fn every_case_is_judged_as_before() {
    let mut told = String::new();
    for case in all() {
        let _ = writeln!(told, "{}", case.name);
        let problems = validate_resource(&case.object.value, &case.object.versions);
        if problems.is_empty() {
            told.push_str("  right\n");
        }
        for problem in problems {
            let _ = writeln!(told, "  {problem}");
            if let Some(hint) = problem.hint() {
                let _ = writeln!(told, "    hint: {hint}");
            }
        }
    }
    let expected = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/render/resource/cases.txt");
    assert_data_eq!(told, Data::read_from(expected.as_ref(), None).raw());
}

#[test]
fn objects_written_by_hand_are_valid() {
    for object in written_by_hand() {
        let problems = validate_resource(&object.value, &object.versions);
        assert!(problems.is_empty(), "{}: {problems:#?}", object.title());
    }
}
