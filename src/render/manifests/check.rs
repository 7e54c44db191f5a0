//! Checks the rendered files against the schemas of the software that reads them.
//!
//! The text itself is checked, not the values from which it was made.

use std::collections::BTreeSet;

use serde_json::Value;
use thiserror::Error;

use super::names::{BGP, CERT_MANAGER, CILIUM, GATEWAY, HUBBLE, ISSUER, POLICIES, POOLS};
use super::{cert_manager, cilium};
use crate::config::cluster::Cluster;
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::source::{Span, Spanned};
use crate::config::written::FreeValue;
use crate::render::document::Document;
use crate::render::schema::{Chart, ResourceMistake, ResourceProblem, validate_resource, validate_values};
use crate::render::yaml;

/// A file that Kubernetes or Helm would refuse.
#[derive(Debug, Error)]
enum Unfit {
    #[error("{file}: {problem}")]
    Object { file: String, problem: ResourceProblem },
    #[error("{file} is not YAML: {message}")]
    Yaml { file: String, message: String },
    #[error("value of {chart} chart: {problem}")]
    Value { chart: &'static str, problem: ResourceProblem },
    #[error("{file}: there are two objects {kind} `{name}`")]
    Duplicate { file: String, kind: String, name: String },
}

impl Mistake for Unfit {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Object { problem, .. } | Self::Value { problem, .. } => problem.hint(),
            Self::Yaml { .. } => None,
            Self::Duplicate { .. } => Some("give one of them another name".to_owned()),
        }
    }

    fn hint_is_public(&self) -> bool {
        let (Self::Object { problem, .. } | Self::Value { problem, .. }) = self else { return false };
        matches!(problem.mistake, ResourceMistake::UnknownKey { .. })
    }
}

/// Returns everything that is wrong with the rendered files, at the places in cluster.toml from which it comes.
pub(super) fn check(cluster: &Cluster, documents: &[Document]) -> Problems {
    let mut problems = Problems::default();
    let mut names = BTreeSet::new();
    for document in documents.iter().filter(|document| document.is_yaml()) {
        let file = document.path();
        let section = section(cluster, &document.name);
        let objects = match yaml::parse(&document.body) {
            Ok(objects) => objects,
            Err(error) => {
                problems.error(section, Unfit::Yaml { file, message: error.to_string() });
                continue;
            }
        };
        for object in &objects {
            for problem in validate_resource(object, &cluster.versions) {
                problems.error(section, Unfit::Object { file: file.clone(), problem });
            }
            if let Some(text) = object.pointer("/spec/valuesContent").and_then(Value::as_str) {
                check_chart(cluster, &document.name, text, section, &mut problems);
            }
            let [kind, namespace, name] =
                ["/kind", "/metadata/namespace", "/metadata/name"].map(|key| text_at(object, key));
            if !names.insert((kind.clone(), namespace, name.clone())) {
                problems.error(section, Unfit::Duplicate { file: file.clone(), kind, name });
            }
        }
    }
    problems
}

pub(super) fn text_at(object: &Value, pointer: &str) -> String {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn check_chart(cluster: &Cluster, name: &str, text: &str, section: Span, problems: &mut Problems) {
    let file = format!("{}/{name}", super::FOLDER);
    let (chart, words, own, overridden) = match name {
        CILIUM => (
            Chart::Cilium(cluster.versions.cilium),
            "Cilium's",
            &cluster.cilium.values,
            cilium::overridden(cluster),
        ),
        _ => (
            Chart::CertManager(cluster.versions.cert_manager),
            "cert-manager's",
            &cluster.certificates.values,
            cert_manager::overridden(cluster),
        ),
    };
    let values = match yaml::parse(text).map(|documents| documents.into_iter().next()) {
        Ok(values) => values.unwrap_or_default(),
        Err(error) => return problems.error(section, Unfit::Yaml { file, message: error.to_string() }),
    };
    for problem in validate_values(chart, &values).into_iter().chain(overridden) {
        match own.as_ref().and_then(|own| place(own, &problem)) {
            Some(span) => problems.error(span, Unfit::Value { chart: words, problem }),
            None => problems.error(section, Unfit::Object { file: file.clone(), problem }),
        }
    }
}

/// Returns the section from whose values a file is made.
fn section(cluster: &Cluster, name: &str) -> Span {
    let sections = cluster.sections;
    match name {
        CILIUM => sections.cilium,
        CERT_MANAGER | ISSUER => sections.certificates,
        BGP | POOLS => sections.bgp,
        POLICIES => sections.security,
        GATEWAY => sections.gateway,
        HUBBLE => sections.hubble,
        _ => sections.versions,
    }
}

/// Returns the place of the user's value that a problem is about, or of the nearest map or list around it. `None` if the
/// user did not write it.
pub(in crate::render) fn place(own: &Spanned<FreeValue>, problem: &ResourceProblem) -> Option<Span> {
    let (mut here, mut place) = (own, None);
    for step in steps(&problem.path) {
        let (name, value) = match &here.value {
            FreeValue::Table(entries) => {
                let Some((key, value)) = entries.iter().find(|(key, _)| key.value == step) else { break };
                (key.span, value)
            }
            FreeValue::List(items) => {
                let Some(item) = step.parse::<usize>().ok().and_then(|index| items.get(index)) else { break };
                (item.span, item)
            }
            _ => break,
        };
        let is_key = matches!(problem.mistake, ResourceMistake::UnknownKey { .. });
        place = Some(if is_key { name } else { value.span });
        here = value;
    }
    place
}

/// Splits a path into keys and indices, such as `hubble.relay.tolerations[0]` or `podAnnotations[example.org/team]`.
pub(super) fn steps(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = path;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(['.', ']']);
        let (in_brackets, end) = match rest.strip_prefix('[') {
            Some(inner) => (inner, inner.find(']')),
            None => (rest, rest.find(['.', '['])),
        };
        let (step, after) = in_brackets.split_at(end.unwrap_or(in_brackets.len()));
        rest = after;
        (!step.is_empty()).then_some(step)
    })
}

#[cfg(test)]
mod tests {
    use super::steps;

    #[test]
    fn a_path_is_taken_apart() {
        let path = "hubble.relay[0][example.org/team].name[12]";
        let expected = ["hubble", "relay", "0", "example.org/team", "name", "12"];
        assert_eq!(steps(path).collect::<Vec<_>>(), expected);
        assert_eq!(steps("").count(), 0);
    }
}
