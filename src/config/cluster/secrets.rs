//! `[secrets]`: secrets by name. Their bytes are read from files at flash time and never enter a rendered file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::kubernetes_secret::OPAQUE;
use super::secret_program;
use crate::common::nearest::similar;
use crate::common::secret_source::SecretSource;
use crate::config::diagnostics::redact::looks_like_secret;
use crate::config::diagnostics::{Mistake, Problems, Unresolved};
use crate::config::written::{self, Attempt, Text};

/// The directory of the secrets on a node: one file for each, which only root can read.
const DIRECTORY: &str = "/var/lib/rk1/secrets";
/// The folder beside `cluster.toml` of the files that `[secrets]` does not name.
const FOLDER: &str = "secrets";
/// The longest name of a secret: that of a node, and what its own secrets add to it.
const NAME_LIMIT: usize = 72;

/// The name of a secret, which is also the name of its file on the nodes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretName(String);

/// The source of each secret.
#[derive(Debug, Clone, Default)]
pub struct Secrets(pub BTreeMap<SecretName, SecretSource>);

impl Secrets {
    /// Returns the source of a secret.
    #[must_use]
    pub fn source(&self, secret: &SecretName) -> &SecretSource {
        self.0.get(secret).unwrap_or(&SecretSource::Elsewhere)
    }

    /// Returns the file of a secret, if it has one.
    #[must_use]
    pub fn file(&self, secret: &SecretName) -> Option<&Path> {
        self.source(secret).file()
    }
}

#[derive(Debug, Error)]
enum SecretMistake {
    #[error("this looks like the secret itself, not like its name")]
    InlineSecret,
    #[error("this looks like the secret itself, not like the path of its file")]
    InlineInsteadOfPath,
    #[error("`{path}` begins with `~`, which only a shell expands")]
    HomeFolder { path: String },
    #[error("this is not the name of a secret")]
    NotAName,
    #[error("`[secrets]` has no `{name}`")]
    Unknown { name: String, nearest: String },
    #[error("`[secrets]` has no secret of this name")]
    Unlike,
    #[error("the secret `{name}` is not used")]
    Unused { name: String },
}

impl Mistake for SecretMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::InlineSecret => {
                "write a name here and the path of the file in `[secrets]`: `name = \"secrets/name\"`. \
                 A secret that was written here may have leaked: replace it"
            }
            Self::InlineInsteadOfPath => {
                "move it to a file and write the file's path, such as `secrets/k3s-token`. \
                 A secret that was written here may have leaked: replace it"
            }
            Self::HomeFolder { .. } => "write the absolute path, or a path relative to cluster.toml",
            Self::NotAName => "write a name of a-z, 0-9, `-`, `_` and `.`, such as `k3s-token`",
            Self::Unknown { nearest, .. } => return Some(format!("did you mean `{nearest}`?")),
            Self::Unlike => {
                "write a name here and the path of the file in `[secrets]`: `name = \"secrets/name\"`"
            }
            Self::Unused { .. } => {
                "remove it, or write its name where it is needed: a secret of your own goes into a `[[secret-file]]` or a \
                               `[[kubernetes-secret]]`"
            }
        };
        Some(instead.to_owned())
    }

    fn marks_secret(&self) -> bool {
        match self {
            Self::InlineSecret | Self::InlineInsteadOfPath | Self::NotAName | Self::Unlike => true,
            Self::HomeFolder { .. } | Self::Unknown { .. } | Self::Unused { .. } => false,
        }
    }
}

impl SecretName {
    fn parse(text: &str) -> Result<Self, SecretMistake> {
        if looks_like_secret(text) {
            return Err(SecretMistake::InlineSecret);
        }
        let is_allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
        let is_name = (1..=NAME_LIMIT).contains(&text.len())
            && text.bytes().all(is_allowed)
            && text.starts_with(|first: char| first.is_ascii_alphanumeric())
            // FAT removes a trailing dot (Microsoft's long names), and the file would have another name on the node.
            && !text.ends_with('.');
        if is_name { Ok(Self(text.to_owned())) } else { Err(SecretMistake::NotAName) }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the path of the secret's file on a node.
    #[must_use]
    pub fn path_on_node(&self) -> String {
        format!("{DIRECTORY}/{}", self.0)
    }
}

/// Finds secrets by name, and records which of them are used.
pub(super) struct SecretLookup<'a> {
    written: &'a [(Text, Attempt<written::SecretSource>)],
    /// Whether the section could not be read, which has been noted.
    is_broken: bool,
    used: Vec<&'a str>,
    /// Secrets of a default name that the section does not list.
    assumed: Vec<SecretName>,
    /// Whether a name was not found. A secret that seems unused may then be misspelled, and is not noted.
    has_misses: bool,
}

impl<'a> SecretLookup<'a> {
    pub(super) fn new(section: Option<&'a Attempt<written::Secrets>>) -> Self {
        let written = section.and_then(|section| section.0.as_ref());
        Self {
            written: written.map_or(&[], |written| &written.sources.0),
            is_broken: section.is_some() && written.is_none(),
            used: Vec::new(),
            assumed: Vec::new(),
            has_misses: false,
        }
    }

    /// Returns the secret whose name is written, or notes a problem.
    pub(super) fn find(&mut self, text: &Text, problems: &mut Problems) -> Option<SecretName> {
        let found = self.find_known(text, problems);
        self.has_misses |= found.is_none();
        found
    }

    /// Returns the secret whose name is written, if one is. `Unresolved` means that a problem has been noted.
    pub(super) fn find_optional(
        &mut self,
        text: Option<&Text>,
        problems: &mut Problems,
    ) -> Result<Option<SecretName>, Unresolved> {
        text.map(|text| self.find(text, problems).ok_or(Unresolved)).transpose()
    }

    /// Returns the secret whose name is written, or that of the default name. The latter needs no line in `[secrets]`: its file
    /// is then that of its name in the folder `secrets`.
    pub(super) fn find_or_default(
        &mut self,
        text: Option<&Text>,
        default: &str,
        problems: &mut Problems,
    ) -> Option<SecretName> {
        if let Some(text) = text.filter(|text| text.value != default) {
            return self.find(text, problems);
        }
        let name = SecretName(default.to_owned());
        match self.written.iter().find(|(known, _)| known.value == default) {
            Some((known, _)) => self.used.push(&known.value),
            None => self.assumed.push(name.clone()),
        }
        Some(name)
    }

    fn find_known(&mut self, text: &Text, problems: &mut Problems) -> Option<SecretName> {
        let name = problems.take(text.span, SecretName::parse(&text.value))?;
        if self.is_broken {
            return None;
        }
        let known = self.written.iter().map(|(name, _)| name.value.as_str());
        if let Some(known) = known.clone().find(|known| *known == name.as_str()) {
            self.used.push(known);
            return Some(name);
        }
        // A word that is not a misspelled name may be a password, so it is not shown.
        let mistake = match similar(name.as_str(), known) {
            Some(nearest) => SecretMistake::Unknown { name: name.0, nearest: nearest.to_owned() },
            None => SecretMistake::Unlike,
        };
        problems.error(text.span, mistake);
        None
    }

    /// Returns all secrets that are defined or used, and notes a warning for each that is not used.
    pub(super) fn resolve(self, problems: &mut Problems) -> Option<Secrets> {
        if self.is_broken {
            return None;
        }
        let assumed = |name: SecretName| {
            let file = Path::new(FOLDER).join(&name.0);
            Some((name, SecretSource::File(file)))
        };
        let mut sources: Vec<_> = self.assumed.into_iter().map(assumed).collect();
        for (name, written) in self.written {
            let parsed = problems.take(name.span, SecretName::parse(&name.value));
            let source = match &written.0 {
                Some(written::SecretSource::File(path)) => Some(resolve_path(path, problems)),
                Some(written::SecretSource::Program(program)) => {
                    secret_program::resolve(name, program, problems).map(SecretSource::Program)
                }
                None => None,
            };
            if parsed.is_some() && !self.has_misses && !self.used.contains(&name.value.as_str()) {
                problems.warning(name.span, SecretMistake::Unused { name: name.value.clone() });
            }
            sources.push(parsed.zip(source));
        }
        sources.into_iter().collect::<Option<_>>().map(Secrets)
    }
}

fn resolve_path(path: &Text, problems: &mut Problems) -> SecretSource {
    if looks_like_secret(&path.value) {
        problems.error(path.span, SecretMistake::InlineInsteadOfPath);
    } else if path.value.starts_with('~') {
        problems.error(path.span, SecretMistake::HomeFolder { path: path.value.clone() });
    }
    if path.value.is_empty() {
        SecretSource::Elsewhere
    } else {
        SecretSource::File(PathBuf::from(&path.value))
    }
}

/// A key of a Kubernetes Secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubernetesSecret {
    pub name: String,
    pub namespace: String,
    pub key: String,
    /// The type of the Secret.
    pub kind: String,
    /// The secret whose bytes it contains, without a final line break.
    pub from: SecretName,
}

impl KubernetesSecret {
    /// Returns a Secret for a `ClusterIssuer`, which reads its secrets from cert-manager's namespace.
    pub(super) fn of_cert_manager(name: &str, key: &str, from: SecretName) -> Self {
        Self {
            name: name.to_owned(),
            namespace: "cert-manager".to_owned(),
            key: key.to_owned(),
            kind: OPAQUE.to_owned(),
            from,
        }
    }
}
