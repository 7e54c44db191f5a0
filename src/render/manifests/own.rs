//! Checks the user's own files in `manifests/`, which servers apply beside the rendered ones.
//!
//! Objects of a kind that rk1 has a schema of are checked as the rendered ones are. Objects of other kinds are left alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use serde_saphyr::Spanned;
use thiserror::Error;

use super::check::text_at;
use super::gateway;
use super::yaml_place::{Tree, find, span_at};
use crate::config::cluster::{self, Cluster};
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::source::{Source, Span};
use crate::render::document::Document;
use crate::render::schema::{ResourceMistake, ResourceProblem, validate_resource};
use crate::render::yaml;

/// What was found in one of the user's files.
#[derive(Debug)]
pub struct OwnFile {
    pub source: Source,
    pub problems: Problems,
    /// The kinds of the objects that were not checked.
    pub unchecked: BTreeSet<String>,
}

#[derive(Debug, Error)]
enum OwnMistake {
    #[error("{0}")]
    Object(ResourceProblem),
    #[error("this is not YAML: {0}")]
    Yaml(String),
    #[error("the {kind} `{name}` is in `{file}` as well")]
    Duplicate { kind: String, name: String, file: String },
    #[error("the values of this Secret can be read by every user of every server")]
    Secret,
    #[error("`{host}` is the host of Hubble's page: this route would get half of its requests")]
    HubbleHost { host: String },
    #[error(
        "the gateway `{gateway}` does not accept this route: its namespace `{namespace}` lacks the label `{key}: {value}`"
    )]
    NotLabelled { gateway: String, namespace: String, key: String, value: &'static str },
    #[error("k3s takes this file for `{file}`: the names are the same up to the first dot")]
    SameAddOn { file: String },
    #[error("k3s deletes a file with the name of a component that is disabled, and its objects")]
    Disabled,
    #[error("k3s does not apply a file with this name")]
    FileName,
    #[error("servers do not apply this file: its name does not end in `.yaml`")]
    NotApplied,
}

impl Mistake for OwnMistake {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Object(problem) => return problem.hint(),
            Self::Yaml(_) => return None,
            Self::Duplicate { .. } => "remove one of them, or rename it",
            Self::Secret => "keep it out of the Nix store: use sealed-secrets, sops or `kubectl apply`",
            Self::HubbleHost { .. } => "write another host, or set `enable = false` under `[hubble]`",
            Self::NotLabelled { .. } => "add it to the Namespace, or write `routes = \"all\"` in `[gateway]`",
            Self::SameAddOn { .. } | Self::Disabled => "rename the file",
            Self::FileName => "use lower-case letters, digits and `-`",
            Self::NotApplied => "rename it, or move it out of `manifests/`",
        };
        Some(hint.to_owned())
    }

    fn hint_is_public(&self) -> bool {
        matches!(self, Self::Object(ResourceProblem { mistake: ResourceMistake::UnknownKey { .. }, .. }))
    }
}

/// Components of k3s that are switched off (`modules/k3s`). k3s deletes files of their names (k3s-io/k3s,
/// `pkg/deploy/controller.go`).
const DISABLED: [&str; 3] = ["local-storage", "servicelb", "traefik"];

/// Checks the user's files. `documents` are the rendered ones.
#[must_use]
pub fn check_own_files(cluster: &Cluster, documents: &[Document], files: Vec<Source>) -> Vec<OwnFile> {
    let mut seen = SeenObjects { namespaces: labels_of_namespaces(&files), ..SeenObjects::default() };
    for document in documents.iter().filter(|document| document.folder == super::FOLDER) {
        seen.add_ons.insert(add_on(&document.name).to_owned(), document.path());
        if document.is_yaml() {
            for object in yaml::parse(&document.body).unwrap_or_default() {
                seen.objects.insert(identity(&object), document.path());
            }
        }
    }
    files.into_iter().map(|source| check_file(cluster, source, &mut seen)).collect()
}

/// Where each object and each add-on was first seen.
#[derive(Default)]
struct SeenObjects {
    objects: BTreeMap<[String; 4], String>,
    add_ons: BTreeMap<String, String>,
    /// The labels of each Namespace in the user's files.
    namespaces: BTreeMap<String, Value>,
}

fn labels_of_namespaces(files: &[Source]) -> BTreeMap<String, Value> {
    let objects = files.iter().flat_map(|file| yaml::parse(&file.text).unwrap_or_default());
    let namespaces = objects.filter(|object| object["kind"] == "Namespace");
    namespaces
        .map(|object| (text_at(&object, "/metadata/name"), object["metadata"]["labels"].clone()))
        .collect()
}

/// Returns the name under which k3s keeps a file: that of the file up to the first dot.
fn add_on(file: &str) -> &str {
    let name = file.rsplit_once('/').map_or(file, |(_, name)| name);
    name.split_once('.').map_or(name, |(stem, _)| stem)
}

/// Returns what tells an object from all others: the group of its kind, kind, namespace and name.
fn identity(object: &Value) -> [String; 4] {
    let [api_version, kind, namespace, name] =
        ["/apiVersion", "/kind", "/metadata/namespace", "/metadata/name"].map(|at| text_at(object, at));
    let group = api_version.split_once('/').map_or("", |(group, _)| group).to_owned();
    [group, kind, namespace, name]
}

fn check_file(cluster: &Cluster, source: Source, seen: &mut SeenObjects) -> OwnFile {
    let mut file = OwnFile { problems: Problems::default(), unchecked: BTreeSet::new(), source };
    let first_line = file.source.first_line();
    match file.source.name.rsplit_once('.') {
        Some((_, "yaml")) => {}
        Some((_, "yml" | "json")) => {
            file.problems.warning(first_line, OwnMistake::NotApplied);
            return file;
        }
        // Notes and the like.
        _ => return file,
    }
    note_name(&file.source.name, first_line, seen, &mut file.problems);
    let objects = match yaml::parse(&file.source.text) {
        Ok(objects) => objects,
        Err(error) => {
            let place = error.location().and_then(|place| span_at(&file.source.text, place));
            let message = error.without_snippet().to_string();
            file.problems.error(place.unwrap_or(first_line), OwnMistake::Yaml(message));
            return file;
        }
    };
    let trees: Vec<Spanned<Tree>> = serde_saphyr::from_multiple(&file.source.text)
        .ok()
        .filter(|trees: &Vec<_>| trees.len() == objects.len())
        .unwrap_or_default();
    for (index, object) in objects.iter().enumerate() {
        let tree = trees.get(index);
        let place =
            |path: &str| tree.and_then(|tree| find(tree, path, &file.source.text)).unwrap_or(first_line);
        check_object(cluster, object, &place, &mut file.problems, &mut file.unchecked);
        for mistake in missing_labels(cluster, object, &seen.namespaces) {
            file.problems.warning(place("metadata.namespace"), mistake);
        }
        let [_, kind, _, name] = identity(object);
        if let Some(first) = seen.objects.insert(identity(object), file.source.name.clone()) {
            let mistake = OwnMistake::Duplicate { kind, name, file: first };
            file.problems.error(place("metadata.name"), mistake);
        }
    }
    file
}

fn note_name(name: &str, place: Span, seen: &mut SeenObjects, problems: &mut Problems) {
    let stem = add_on(name);
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if DISABLED.contains(&stem) {
        problems.error(place, OwnMistake::Disabled);
    } else if stem.is_empty() || !stem.bytes().all(is_name) {
        problems.error(place, OwnMistake::FileName);
    } else if let Some(file) = seen.add_ons.insert(stem.to_owned(), name.to_owned()) {
        problems.error(place, OwnMistake::SameAddOn { file });
    }
}

fn check_object(
    cluster: &Cluster,
    object: &Value,
    place: &dyn Fn(&str) -> Span,
    problems: &mut Problems,
    unchecked: &mut BTreeSet<String>,
) {
    for problem in validate_resource(object, &cluster.versions) {
        match &problem.mistake {
            ResourceMistake::Secret => problems.warning(place("kind"), OwnMistake::Secret),
            ResourceMistake::UnknownKind { kind, known, .. } if !is_served_otherwise(object, kind, known) => {
                unchecked.insert(kind.clone());
            }
            ResourceMistake::NoSchema { .. } => {
                unchecked.insert(text_at(object, "/kind"));
            }
            _ => problems.error(place(&problem.path), OwnMistake::Object(problem)),
        }
    }
    if let Some((path, host)) = hubble_host(cluster, object) {
        problems.error(place(&path), OwnMistake::HubbleHost { host });
    }
}

/// Whether the kind is known in the same group, in another version.
fn is_served_otherwise(object: &Value, kind: &str, known: &[String]) -> bool {
    let api_version = text_at(object, "/apiVersion");
    let Some((group, _)) = api_version.split_once('/') else { return false };
    known.iter().any(|each| {
        each.split_once('/').is_some_and(|(known, _)| known == group) && each.ends_with(&format!(" {kind}"))
    })
}

/// Returns the gateways that a route names as its parents.
fn gateways_of<'a>(cluster: &'a Cluster, object: &Value) -> Vec<&'a cluster::Gateway> {
    let parents = object.pointer("/spec/parentRefs").and_then(Value::as_array);
    let parents: Vec<_> = parents.filter(|_| object["kind"] == "HTTPRoute").into_iter().flatten().collect();
    let is_parent = |gateway: &&cluster::Gateway| {
        parents.iter().any(|parent| {
            let namespace = parent["namespace"].as_str().map(str::to_owned);
            let namespace = namespace.unwrap_or_else(|| text_at(object, "/metadata/namespace"));
            parent["name"] == gateway.name.as_str() && namespace == gateway::GATEWAY_NAMESPACE
        })
    };
    cluster.gateways.iter().filter(is_parent).collect()
}

/// Returns the labels for lack of which gateways do not accept a route. Only of a namespace that one of the files makes: what
/// labels another one has is not known.
fn missing_labels(
    cluster: &Cluster,
    object: &Value,
    namespaces: &BTreeMap<String, Value>,
) -> Vec<OwnMistake> {
    let namespace = text_at(object, "/metadata/namespace");
    let Some(labels) = namespaces.get(&namespace) else { return Vec::new() };
    let missing = |gateway: &cluster::Gateway| {
        let (key, value) = gateway::routes_label(gateway)?;
        (labels[key.as_str()] != value).then(|| OwnMistake::NotLabelled {
            gateway: gateway.name.to_string(),
            namespace: namespace.clone(),
            key,
            value,
        })
    };
    gateways_of(cluster, object).into_iter().filter_map(missing).collect()
}

/// A route at a gateway for the host of Hubble's page. Cilium divides the requests between two such routes.
fn hubble_host(cluster: &Cluster, object: &Value) -> Option<(String, String)> {
    let hubble = cluster.hubble.as_ref()?;
    if gateways_of(cluster, object).is_empty() {
        return None;
    }
    let hosts = object.pointer("/spec/hostnames").and_then(Value::as_array)?;
    let index = hosts.iter().position(|host| host == hubble.as_str())?;
    Some((format!("spec.hostnames[{index}]"), hubble.to_string()))
}
