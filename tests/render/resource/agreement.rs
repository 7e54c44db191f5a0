//! Where the validator and Kubernetes' own code disagree, the validator is wrong.

use std::collections::{BTreeMap, BTreeSet};

use rk1::render::schema::{ResourceMistake, ResourceProblem, Scope, definitions, validate_resource};
use rk1::render::yaml;
use serde_json::json;

use crate::cases;
use crate::judge::{Judge, Refusal, Verdict};
use crate::note;
use crate::objects::{CLUSTERS, Object, every_bundle, rendered_files, rendered_of, written_by_hand};
use crate::rules::every_rule;
use crate::sample::{Chance, sample};

/// Objects that are drawn for each version of each definition.
const SAMPLES: usize = 150;

/// What an object breaks of the rules in CEL, by upstream's messages.
fn broken_rules(problems: &[ResourceProblem]) -> Vec<String> {
    let mut messages: Vec<_> = problems
        .iter()
        .filter_map(|problem| match &problem.mistake {
            ResourceMistake::Rule { message, .. } => Some(format!("{}: {}", problem.path, message.trim())),
            _ => None,
        })
        .collect();
    messages.sort();
    messages
}

fn broken_rules_of(verdict: &Verdict) -> Vec<String> {
    let of_rules = verdict.refused.iter().filter(|refusal| refusal.rule);
    let message = |refusal: &Refusal| {
        // What CEL calls an error is told before the message.
        let told = refusal.detail.rsplit(" evaluating rule: ").next().unwrap_or_default();
        // The object itself.
        let path = if refusal.path == "<nil>" { "" } else { refusal.path.as_str() };
        format!("{path}: {}", told.trim())
    };
    let mut messages: Vec<_> = of_rules.map(message).collect();
    messages.sort();
    messages
}

/// An API server takes a list for a string that has a format (kube-openapi, `pkg/validation/validate/type.go`), which
/// the controller then cannot read. In the labels of its own kinds, it takes `null` for an empty map or text. Here both are
/// refused.
fn is_server_too_lenient(problems: &[ResourceProblem]) -> bool {
    let is_null_label = |problem: &ResourceProblem| {
        problem.path.starts_with("metadata.labels")
            && matches!(&problem.mistake, ResourceMistake::WrongType { found, .. } if found == "`null`")
    };
    let is_list_for_string = |problem: &ResourceProblem| {
        matches!(&problem.mistake, ResourceMistake::WrongType { found, expected }
            if found.starts_with("`[") && expected == "a string")
    };
    !problems.is_empty()
        && problems.iter().all(|problem| is_list_for_string(problem) || is_null_label(problem))
}

/// A disagreement, told so that it can be looked into.
fn disagreement(object: &Object, problems: &[ResourceProblem], verdict: &Verdict) -> Option<String> {
    let has_other_problems = problems.len() > broken_rules(problems).len();
    let is_same = (problems.is_empty() == verdict.is_good() || is_server_too_lenient(problems))
        && (has_other_problems || broken_rules(problems) == broken_rules_of(verdict));
    (!is_same).then(|| format!("{}\nours: {problems:#?}\njudge: {verdict:#?}", object.value))
}

/// The number of good and of bad objects.
#[track_caller]
pub(crate) fn assert_agreement(judge: &Judge, objects: &[Object]) -> (usize, usize) {
    let known = |object: &&Object| judge.knows(object.value["kind"].as_str().unwrap_or_default());
    let objects: Vec<_> = objects.iter().filter(known).cloned().collect();
    let verdicts = judge.verdicts(&objects);
    let mut disagreements = Vec::new();
    let mut good = 0;
    for (object, verdict) in objects.iter().zip(&verdicts) {
        let problems = validate_resource(&object.value, &object.versions);
        disagreements.extend(disagreement(object, &problems, verdict));
        good += usize::from(problems.is_empty());
    }
    let shown: Vec<_> = disagreements.iter().take(3).cloned().collect();
    assert!(
        disagreements.is_empty(),
        "{} of {} disagree, such as {}",
        disagreements.len(),
        objects.len(),
        shown.join("\n\n")
    );
    (good, objects.len() - good)
}

#[test]
fn kubernetes_accepts_every_object() {
    let Some(judge) = Judge::new("kubernetes_accepts_every_object") else { return };
    let rendered = CLUSTERS.into_iter().flat_map(rendered_of);
    let known = |object: &Object| judge.knows(object.value["kind"].as_str().unwrap_or_default());
    let objects: Vec<_> = rendered.chain(written_by_hand()).filter(known).collect();
    for (object, verdict) in objects.iter().zip(judge.verdicts(&objects)) {
        assert!(verdict.is_good(), "{}: {verdict:#?}", object.title());
    }
    assert_eq!(assert_agreement(&judge, &objects), (objects.len(), 0));
}

/// What is written is read by Kubernetes as it is read here: `No`, `0644` and their like mean the same.
#[test]
fn kubernetes_reads_every_rendered_file_alike() {
    let Some(judge) = Judge::new("kubernetes_reads_every_rendered_file_alike") else { return };
    for (versions, files) in CLUSTERS.map(rendered_files) {
        for text in files {
            let parsed = yaml::parse(&text).expect("YAML");
            if !parsed.iter().all(|object| judge.knows(object["kind"].as_str().unwrap_or_default())) {
                continue;
            }
            let documents: Vec<_> = text.split("\n---\n").collect();
            let readings = judge.readings(&versions, &documents);
            assert!(readings.iter().all(Verdict::is_good), "{readings:#?}");
            let read: Vec<_> = readings.into_iter().map(|verdict| verdict.read).collect();
            assert_eq!(read, parsed);
        }
    }
}

#[test]
fn kubernetes_agrees_on_every_case() {
    let Some(judge) = Judge::new("kubernetes_agrees_on_every_case") else { return };
    let objects: Vec<_> =
        cases::all().into_iter().filter(|case| !case.is_stricter).map(|case| case.object).collect();
    let (good, bad) = assert_agreement(&judge, &objects);
    assert!(good >= 15 && bad >= 40, "{good} good, {bad} bad");
}

/// Objects drawn from each schema. Which of them are good, the judge says.
fn drawn() -> Vec<Object> {
    let mut objects = Vec::new();
    for versions in every_bundle() {
        for (folder, definition) in definitions() {
            let definition = definition.expect("a definition");
            let is_of_bundle =
                rk1::render::schema::bundle_of(&definition.group, &versions).as_deref() == Some(folder);
            // What does not depend on the bundle is drawn once.
            let is_first =
                folder.starts_with("gateway-api/") || versions.gateway_api == every_bundle()[0].gateway_api;
            if !is_of_bundle || !is_first {
                continue;
            }
            for served in &definition.schemas {
                let mut chance = Chance::new(objects.len() as u64 + 1);
                for number in 0..SAMPLES {
                    let mut value = sample(&served.schema.json, &mut chance, 0);
                    let version = &served.versions[number % served.versions.len()];
                    if let Some(members) = value.as_object_mut() {
                        let mut metadata = json!({ "name": "drawn" });
                        if definition.scope == Scope::Namespaced {
                            metadata["namespace"] = json!("drawn");
                        }
                        members.insert(
                            "apiVersion".to_owned(),
                            json!(format!("{}/{version}", definition.group)),
                        );
                        members.insert("kind".to_owned(), json!(definition.kind));
                        members.insert("metadata".to_owned(), metadata);
                        objects.push(Object { versions: versions.clone(), value });
                    }
                }
            }
        }
    }
    objects
}

#[test]
fn kubernetes_agrees_on_objects_drawn_from_the_schemas() {
    let test = "kubernetes_agrees_on_objects_drawn_from_the_schemas";
    let Some(judge) = Judge::new(test) else { return };
    let mut objects = drawn();
    let all = objects.len();
    objects.retain(|object| judge.has_gateway_api(&object.versions));
    if objects.len() < all {
        note(&format!("{test}: {} objects are not judged, for want of public schemas", all - objects.len()));
    }
    let (good, bad) = assert_agreement(&judge, &objects);
    note(&format!("{test}: {good} good and {bad} bad objects, no disagreement"));
    assert!(good > 1_000 && bad > 1_000, "{good} good, {bad} bad");
}

/// Rules that no new object breaks alone: whatever breaks them breaks a list's or an enumeration's condition as well, and
/// rules count only when nothing else is wrong.
const OUT_OF_REACH: [&str; 3] = [
    "self.all(l1, self.exists_one(l2, l1.name == l2.name))",
    "self.all(t1, self.exists_one(t2, t1.port == t2.port))",
    "self.type in ['Exact','PathPrefix'] || self.type == 'RegularExpression'",
];

/// A rule that nothing breaks would show nothing about the agreement.
#[test]
fn every_rule_is_broken_somewhere() {
    let mut broken: BTreeMap<String, usize> = BTreeMap::new();
    let objects = drawn().into_iter().chain(cases::all().into_iter().map(|case| case.object));
    for object in objects {
        for problem in validate_resource(&object.value, &object.versions) {
            if let ResourceMistake::Rule { rule, .. } = problem.mistake {
                *broken.entry(rule).or_default() += 1;
            }
        }
    }
    let never: BTreeSet<_> = every_rule().into_iter().filter(|rule| !broken.contains_key(*rule)).collect();
    assert_eq!(never, BTreeSet::from(OUT_OF_REACH));
}
