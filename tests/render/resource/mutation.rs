//! Each key of each object is deleted, renamed and given values of other types, one at a time: the validator refuses
//! it, or there is a rule by which it is harmless.

use std::collections::BTreeMap;

use rk1::config::cluster::Versions;
use rk1::render::schema::{bundle_of, definitions, validate_resource};
use serde_json::{Map, Value, json};

use crate::judge::Judge;
use crate::note;
use crate::objects::{Object, rendered, written_by_hand};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    Deletion,
    Renaming,
    Mistype,
}

#[derive(Debug, Clone)]
pub(crate) struct Mutant {
    pub(crate) change: Change,
    /// Keys and indexes from the object to the key.
    pub(crate) path: Vec<String>,
    pub(crate) value: Value,
}

/// A name with a typing error: a letter lost, two letters swapped, another case, a letter too many.
fn typing_errors(key: &str) -> Vec<String> {
    let letters: Vec<char> = key.chars().collect();
    let mut errors = vec![format!("{key}s"), letters[..letters.len() - 1].iter().collect()];
    if let Some(at) = letters.windows(2).position(|pair| pair[0] != pair[1]) {
        let mut swapped = letters.clone();
        swapped.swap(at, at + 1);
        errors.push(swapped.iter().collect());
    }
    let flipped: String = letters
        .iter()
        .enumerate()
        .map(|(index, letter)| match index {
            0 if letter.is_lowercase() => letter.to_ascii_uppercase(),
            0 => letter.to_ascii_lowercase(),
            _ => *letter,
        })
        .collect();
    errors.push(flipped);
    errors.retain(|error| error != key && !error.is_empty());
    errors
}

/// A value of each other type.
fn other_types(value: &Value) -> Vec<Value> {
    let every = [
        json!(null),
        json!(true),
        json!(7),
        json!(7.5),
        json!("word"),
        json!([value]),
        json!({ "key": value }),
    ];
    let is_same_type = |other: &Value| match (value, other) {
        (Value::Number(one), Value::Number(other)) => one.is_f64() == other.is_f64(),
        (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
    };
    every.into_iter().filter(|other| !is_same_type(other)).collect()
}

/// Every mutant of a value.
pub(crate) fn mutants(value: &Value) -> Vec<Mutant> {
    let mut found = Vec::new();
    let mut add =
        |change, path: &[String], mutant| found.push(Mutant { change, path: path.to_vec(), value: mutant });
    visit(value, &mut Vec::new(), &mut |path, key| {
        let changed = |change: &dyn Fn(&mut Map<String, Value>)| {
            let mut mutant = value.clone();
            change(at(&mut mutant, path).as_object_mut().expect("a map"));
            mutant
        };
        let full: Vec<_> = path.iter().cloned().chain([key.to_owned()]).collect();
        add(Change::Deletion, &full, changed(&|members| drop(members.remove(key))));
        for error in typing_errors(key) {
            let renamed = changed(&|members| {
                let member = members.remove(key).expect("a member");
                members.insert(error.clone(), member);
            });
            add(Change::Renaming, &full, renamed);
        }
        let member = value.pointer(&pointer(&full)).expect("a member");
        for other in other_types(member) {
            let mistyped = changed(&|members| drop(members.insert(key.to_owned(), other.clone())));
            add(Change::Mistype, &full, mistyped);
        }
    });
    found
}

fn pointer(path: &[String]) -> String {
    path.iter().flat_map(|part| ["/".to_owned(), part.replace('~', "~0").replace('/', "~1")]).collect()
}

fn at<'a>(value: &'a mut Value, path: &[String]) -> &'a mut Value {
    value.pointer_mut(&pointer(path)).expect("a place")
}

/// Visits every key of every map.
fn visit(value: &Value, path: &mut Vec<String>, visitor: &mut impl FnMut(&[String], &str)) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                visitor(path, key);
                path.push(key.clone());
                visit(member, path, visitor);
                path.pop();
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(index.to_string());
                visit(item, path, visitor);
                path.pop();
            }
        }
        _ => {}
    }
}

/// Why a mutant that is taken does no harm. What has no such reason has survived.
fn harmless(object: &Value, versions: &Versions, mutant: &Mutant) -> Option<&'static str> {
    let (key, parents) = mutant.path.split_last()?;
    let schema = schema_of(object, versions);
    let holder = parents.iter().try_fold(schema, |schema, part| below(schema?, part).map(Some)).flatten();
    let is_label_map = matches!(parents, [first, second] if first == "metadata" && ["annotations", "labels"].contains(&second.as_str()));
    if is_label_map || holder.is_some_and(|holder| holder["additionalProperties"].is_object()) {
        // Whether labels and selectors meet is another check's business.
        return Some("the keys of this map are the user's own");
    }
    if mutant.change != Change::Deletion {
        return None;
    }
    let is_optional_metadata = matches!(mutant.path.as_slice(), [first, second] if first == "metadata" && ["annotations", "labels"].contains(&second.as_str()));
    let is_optional = is_optional_metadata || holder.is_some_and(|holder| !is_required(holder, key));
    is_optional.then_some("the key is optional, and the object is valid without it")
}

fn is_required(schema: &Value, key: &str) -> bool {
    schema["required"].as_array().is_some_and(|required| required.iter().any(|each| each == key))
}

fn schema_of(object: &Value, versions: &Versions) -> Option<&'static Value> {
    let (group, version) = object["apiVersion"].as_str()?.split_once('/')?;
    let folder = bundle_of(group, versions)?;
    let is_of_kind =
        |definition: &&rk1::render::schema::Definition| object["kind"] == definition.kind.as_str();
    let definition =
        definitions().filter(|(each, _)| *each == folder).filter_map(|(_, each)| each).find(is_of_kind)?;
    let served =
        definition.schemas.iter().find(|served| served.versions.iter().any(|each| each == version))?;
    Some(&served.schema.json)
}

fn below<'a>(schema: &'a Value, part: &str) -> Option<&'a Value> {
    let by_key = schema["properties"].get(part).or(schema.get("additionalProperties"));
    let by_key = by_key.filter(|below| below.is_object());
    by_key.or_else(|| part.parse::<usize>().ok().and(schema.get("items")))
}

#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) refused: usize,
    pub(crate) harmless: BTreeMap<&'static str, usize>,
    pub(crate) survived: usize,
}

impl Tally {
    /// Of those that may do harm, the share that is refused.
    pub(crate) fn rate(&self) -> f64 {
        let refused = f64::from(u32::try_from(self.refused).expect("a small number"));
        let survived = f64::from(u32::try_from(self.survived).expect("a small number"));
        100.0 * refused / (refused + survived)
    }
}

fn report(what: &str, tallies: &BTreeMap<Change, Tally>) {
    for (change, tally) in tallies {
        let harmless: Vec<_> =
            tally.harmless.iter().map(|(why, count)| format!("{count} harmless ({why})")).collect();
        note(&format!(
            "mutation of {what}: {change:?}: {} refused, {} survived, {:.1} %; {}",
            tally.refused,
            tally.survived,
            tally.rate(),
            if harmless.is_empty() { "none harmless".to_owned() } else { harmless.join(", ") }
        ));
    }
}

fn tallied(objects: &[Object], survivors: &mut Vec<String>) -> BTreeMap<Change, Tally> {
    let mut tallies: BTreeMap<Change, Tally> = BTreeMap::new();
    for object in objects {
        for mutant in mutants(&object.value) {
            let tally = tallies.entry(mutant.change).or_default();
            if !validate_resource(&mutant.value, &object.versions).is_empty() {
                tally.refused += 1;
            } else if let Some(why) = harmless(&object.value, &object.versions, &mutant) {
                *tally.harmless.entry(why).or_default() += 1;
            } else {
                tally.survived += 1;
                survivors.push(format!("{} {:?} {}", object.title(), mutant.change, mutant.path.join(".")));
            }
        }
    }
    tallies
}

/// Deletions of required keys, renamings and mistypes: 95 % at least, each for itself.
#[test]
fn mutations_are_refused_or_harmless() {
    for (what, objects) in [("rendered objects", rendered()), ("objects written by hand", written_by_hand())]
    {
        assert!(objects.len() >= 10, "{} {what}", objects.len());
        let mut survivors = Vec::new();
        let tallies = tallied(&objects, &mut survivors);
        report(what, &tallies);
        for (change, tally) in &tallies {
            assert!(tally.rate() >= 95.0, "{change:?}: {tally:?}\n{survivors:#?}");
            assert!(tally.refused > 50, "{change:?}: {tally:?}");
        }
    }
}

/// What is harmless here, a server takes as well; what is refused here, a server refuses or does not keep.
#[test]
fn kubernetes_agrees_on_every_mutation() {
    let test = "kubernetes_agrees_on_every_mutation";
    let Some(judge) = Judge::new(test) else { return };
    let mut mutated = Vec::new();
    for object in rendered().into_iter().chain(written_by_hand()) {
        for mutant in mutants(&object.value) {
            mutated.push(Object { versions: object.versions.clone(), value: mutant.value });
        }
    }
    let (good, bad) = crate::agreement::assert_agreement(&judge, &mutated);
    note(&format!("{test}: {good} good and {bad} bad objects, no disagreement"));
}
