//! `[secrets]`: secrets by name. Their bytes are read from files at flash time and never enter a rendered file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::common::nearest::similar;
use crate::config::diagnostics::redact::looks_like_secret;
use crate::config::diagnostics::{Mistake, Problems, Unresolved};
use crate::config::written::{self, Text};

/// The directory of the secrets on a node: one file for each, which only root can read.
const DIRECTORY: &str = "/var/lib/rk1/secrets";

/// The name of a secret, which is also the name of its file on the nodes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretName(String);

/// The file of each secret, as written: relative to `cluster.toml`. The path is empty if the secret reaches the nodes in
/// another way.
#[derive(Debug, Clone, Default)]
pub struct Secrets(pub BTreeMap<SecretName, PathBuf>);

impl Secrets {
    /// Returns the file of a secret, if the seed contains the secret.
    #[must_use]
    pub fn file(&self, secret: &SecretName) -> Option<&Path> {
        self.0.get(secret).map(PathBuf::as_path).filter(|path| !path.as_os_str().is_empty())
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
            Self::Unused { .. } => "remove it, or write its name where it is needed",
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
        let is_name = (1..=63).contains(&text.len())
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
    /// `None` if the section is missing, which has been noted.
    written: Option<&'a written::Secrets>,
    used: Vec<&'a str>,
    /// Whether a name was not found. A secret that seems unused may then be misspelled, and is not noted.
    has_misses: bool,
}

impl<'a> SecretLookup<'a> {
    pub(super) fn new(written: Option<&'a written::Secrets>) -> Self {
        Self { written, used: Vec::new(), has_misses: false }
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

    fn find_known(&mut self, text: &Text, problems: &mut Problems) -> Option<SecretName> {
        let name = problems.take(text.span, SecretName::parse(&text.value))?;
        let known = self.written?.files.0.iter().map(|(name, _)| name.value.as_str());
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

    /// Returns all secrets that are defined, and notes a warning for each that is not used.
    pub(super) fn resolve(self, problems: &mut Problems) -> Option<Secrets> {
        let mut files = Vec::new();
        for (name, path) in &self.written?.files.0 {
            let parsed = problems.take(name.span, SecretName::parse(&name.value));
            if looks_like_secret(&path.value) {
                problems.error(path.span, SecretMistake::InlineInsteadOfPath);
            } else if path.value.starts_with('~') {
                problems.error(path.span, SecretMistake::HomeFolder { path: path.value.clone() });
            }
            if parsed.is_some() && !self.has_misses && !self.used.contains(&name.value.as_str()) {
                problems.warning(name.span, SecretMistake::Unused { name: name.value.clone() });
            }
            files.push(parsed.map(|name| (name, PathBuf::from(&path.value))));
        }
        files.into_iter().collect::<Option<_>>().map(Secrets)
    }
}

/// A key of a Kubernetes Secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubernetesSecret {
    pub name: String,
    pub namespace: &'static str,
    pub key: String,
    /// The secret whose bytes it contains, without a final line break.
    pub from: SecretName,
}

impl KubernetesSecret {
    /// Returns a Secret for a `ClusterIssuer`, which reads its secrets from cert-manager's namespace.
    pub(super) fn of_cert_manager(name: &str, key: &str, from: SecretName) -> Self {
        Self { name: name.to_owned(), namespace: "cert-manager", key: key.to_owned(), from }
    }
}
