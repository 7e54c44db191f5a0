//! `[[kubernetes-secret]]`: keys of Kubernetes Secrets of one's own.

use thiserror::Error;

use super::certificates::CA_SECRET;
use super::first_use::FirstUse;
use super::name::Label;
use super::secrets::{KubernetesSecret, SecretLookup};
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::source::Span;
use crate::config::written::{self, Text};

/// A key of a Kubernetes Secret of one's own, and where it is written.
#[derive(Debug, Clone)]
pub struct OwnKubernetesSecret {
    pub secret: KubernetesSecret,
    pub(super) span: Span,
}

#[derive(Debug, Error)]
enum KubernetesSecretMistake {
    #[error("`{name}` is not the name of a Kubernetes Secret")]
    Name { name: String },
    #[error("`{key}` is not a key of a Kubernetes Secret")]
    Key { key: String },
    #[error("`{kind}` is not a type of Kubernetes Secrets that `rk1` can make")]
    Type { kind: String, reason: &'static str },
    #[error("a Kubernetes Secret of the type `{kind}` has the key `{key}`")]
    KeyOfType { kind: String, key: &'static str },
    #[error("the key `{key}` of `{namespace}/{name}` is written twice")]
    Duplicate { namespace: Label, name: String, key: String },
    #[error("`{namespace}/{name}` has two types")]
    TwoTypes { namespace: Label, name: String },
    #[error("`rk1` makes the Kubernetes Secret `{namespace}/{name}` itself")]
    Taken { namespace: String, name: String },
}

impl Mistake for KubernetesSecretMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::Name { .. } => {
                "write at most 253 characters: a-z, 0-9, `-` and `.`, with a letter or digit at both ends"
                    .to_owned()
            }
            Self::Key { .. } => "write at most 253 letters, digits, `-`, `_` and `.`".to_owned(),
            Self::Type { reason, .. } => (*reason).to_owned(),
            Self::KeyOfType { key, .. } => format!("write `key = \"{key}\"`, or remove `type`"),
            Self::Duplicate { .. } => "write another key, or remove one of them".to_owned(),
            Self::TwoTypes { .. } => "write the same `type` for each of its keys".to_owned(),
            Self::Taken { .. } => "write another name".to_owned(),
        };
        Some(instead)
    }
}

/// Types with one key, and that key (Kubernetes, "Types of Secret").
const TYPES: [(&str, &str); 4] = [
    ("kubernetes.io/dockerconfigjson", ".dockerconfigjson"),
    ("kubernetes.io/dockercfg", ".dockercfg"),
    ("kubernetes.io/ssh-auth", "ssh-privatekey"),
    ("kubernetes.io/basic-auth", "password"),
];
pub(super) const OPAQUE: &str = "Opaque";

pub(super) fn resolve(
    written: &[written::KubernetesSecret],
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<Vec<OwnKubernetesSecret>> {
    let resolved: Vec<_> = written.iter().map(|each| resolve_key(each, secrets, problems)).collect();
    note_duplicates(written, &resolved, problems);
    resolved.into_iter().collect()
}

fn resolve_key(
    written: &written::KubernetesSecret,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<OwnKubernetesSecret> {
    let from = written.secret.as_ref().and_then(|text| secrets.find(text, problems));
    let label = |text: &Text, problems: &mut Problems| problems.take(text.span, Label::parse(&text.value));
    let namespace = written.namespace.as_ref().and_then(|text| label(text, problems));
    let name = written.name.as_ref().and_then(|text| problems.take(text.span, parse_name(&text.value)));
    let key = match &written.key {
        Some(text) => problems.take(text.span, parse_key(&text.value)),
        None => from.as_ref().map(|from| from.as_str().to_owned()),
    };
    let kind = match &written.kind {
        Some(text) => problems.take(text.span, parse_type(&text.value)),
        None => Some(OPAQUE.to_owned()),
    };
    if let (Some(text), Some(kind), Some(key)) = (&written.kind, &kind, &key)
        && let Some((_, needed)) = TYPES.iter().find(|(known, needed)| known == kind && needed != key)
    {
        problems.error(text.span, KubernetesSecretMistake::KeyOfType { kind: kind.clone(), key: needed });
    }
    let secret = KubernetesSecret {
        name: name?,
        namespace: namespace?.to_string(),
        key: key?,
        kind: kind?,
        from: from?,
    };
    Some(OwnKubernetesSecret { secret, span: written.span })
}

fn note_duplicates(
    written: &[written::KubernetesSecret],
    resolved: &[Option<OwnKubernetesSecret>],
    problems: &mut Problems,
) {
    let mut keys = FirstUse::default();
    let mut types: Vec<(&str, &str, &str)> = Vec::new();
    for (written, own) in written.iter().zip(resolved) {
        let (Some(OwnKubernetesSecret { secret, .. }), Some(text)) = (own, written.name.as_ref()) else {
            continue;
        };
        let KubernetesSecret { name, namespace, key, kind, .. } = secret;
        let Ok(label) = Label::parse(namespace) else { continue };
        if let Some(first) = keys.earlier((namespace, name, key), written.span) {
            let mistake =
                KubernetesSecretMistake::Duplicate { namespace: label, name: name.clone(), key: key.clone() };
            problems.collision(text.span, mistake, first, "first written here");
            continue;
        }
        match types.iter().find(|(space, known, _)| space == namespace && known == name) {
            Some((_, _, other)) if other != kind => {
                let mistake = KubernetesSecretMistake::TwoTypes { namespace: label, name: name.clone() };
                problems.error(written.kind.as_ref().map_or(text.span, |kind| kind.span), mistake);
            }
            _ => types.push((namespace, name, kind)),
        }
    }
}

/// Notes a Secret of one's own that the cluster already has.
pub(super) fn note_taken(own: &[OwnKubernetesSecret], made: &[KubernetesSecret], problems: &mut Problems) {
    for OwnKubernetesSecret { secret, span } in own {
        let KubernetesSecret { namespace, name, .. } = secret;
        let is_made = made.iter().any(|made| made.namespace == *namespace && made.name == *name);
        let is_reserved = namespace == "cert-manager" && name == CA_SECRET;
        if is_made || is_reserved {
            let mistake = KubernetesSecretMistake::Taken { namespace: namespace.clone(), name: name.clone() };
            problems.error(*span, mistake);
        }
    }
}

fn parse_name(name: &str) -> Result<String, KubernetesSecretMistake> {
    let is_name = name.len() <= 253 && name.split('.').all(|label| Label::parse(label).is_ok());
    if is_name { Ok(name.to_owned()) } else { Err(KubernetesSecretMistake::Name { name: name.to_owned() }) }
}

fn parse_key(key: &str) -> Result<String, KubernetesSecretMistake> {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_key =
        (1..=253).contains(&key.len()) && key.bytes().all(is_inner) && key != "." && !key.starts_with("..");
    if is_key { Ok(key.to_owned()) } else { Err(KubernetesSecretMistake::Key { key: key.to_owned() }) }
}

fn parse_type(kind: &str) -> Result<String, KubernetesSecretMistake> {
    let refuse = |reason| Err(KubernetesSecretMistake::Type { kind: kind.to_owned(), reason });
    match kind {
        "kubernetes.io/tls" => {
            refuse("remove `type`: this one needs both keys at once, and `rk1` writes them one by one")
        }
        "kubernetes.io/service-account-token" | "bootstrap.kubernetes.io/token" => {
            refuse("make it with a manifest: Kubernetes fills in its value")
        }
        OPAQUE => Ok(kind.to_owned()),
        _ if TYPES.iter().any(|(known, _)| *known == kind) => Ok(kind.to_owned()),
        _ if kind.starts_with("kubernetes.io/") => refuse(
            "write one of `Opaque`, `kubernetes.io/dockerconfigjson`, `kubernetes.io/ssh-auth`, `kubernetes.io/basic-auth`",
        ),
        _ if parse_key(&kind.replace('/', "-")).is_ok() && !kind.is_empty() => Ok(kind.to_owned()),
        _ => refuse("write `Opaque`, or the type that the program expects which reads it"),
    }
}
