//! Secrets by name. Their bytes never enter a rendered file: they come from files at flash time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::config::diagnostics::redact::looks_like_secret;
use crate::config::diagnostics::{Mistake, Problems, Unresolved};
use crate::config::written::{self, Text, nearest};

/// Where nodes keep secrets: a file for each, readable by root alone.
const DIRECTORY: &str = "/var/lib/rk1/secrets";

/// The name of a secret: also the name of its file on the nodes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretName(String);

/// The file of each secret's bytes, as written: relative to `cluster.toml`. Empty where the secret comes to the nodes
/// another way.
#[derive(Debug, Clone, Default)]
pub struct Secrets(pub BTreeMap<SecretName, PathBuf>);

impl Secrets {
    /// The file of a secret that comes by the seed.
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
    #[error("this is not the name of a secret")]
    NotAName,
    #[error("`[secrets]` has no `{name}`")]
    Unknown { name: String, nearest: String },
    #[error("`[secrets]` has no secret of this name")]
    Unlike,
    #[error("nothing uses the secret `{name}`")]
    Unused { name: String },
}

impl Mistake for SecretMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::InlineSecret => {
                "write a name here and the path of the file in `[secrets]`: `name = \"secrets/name\"`. \
                 A secret that stood in this file is no longer one: replace it"
            }
            Self::InlineInsteadOfPath => {
                "put it into a file and write the file's path, such as `secrets/k3s-token`. \
                 A secret that stood in this file is no longer one: replace it"
            }
            Self::NotAName => "write a name of a-z, 0-9, `-`, `_` and `.`, such as `k3s-token`",
            Self::Unknown { nearest, .. } => return Some(format!("did you mean `{nearest}`?")),
            Self::Unlike => {
                "write a name here and the path of the file in `[secrets]`: `name = \"secrets/name\"`"
            }
            Self::Unused { .. } => "leave it out, or write its name where it belongs",
        };
        Some(instead.to_owned())
    }

    fn marks_secret(&self) -> bool {
        match self {
            Self::InlineSecret | Self::InlineInsteadOfPath | Self::NotAName | Self::Unlike => true,
            Self::Unknown { .. } | Self::Unused { .. } => false,
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
            // FAT drops it (Microsoft's long names), and the node would get another file.
            && !text.ends_with('.');
        if is_name { Ok(Self(text.to_owned())) } else { Err(SecretMistake::NotAName) }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the secret lies on a node.
    #[must_use]
    pub fn path_on_node(&self) -> String {
        format!("{DIRECTORY}/{}", self.0)
    }
}

/// The secrets that `[secrets]` defines, and those of them that have been asked for.
pub(super) struct SecretLookup<'a> {
    /// `None` where the section is missing, which has been noted.
    written: Option<&'a written::Secrets>,
    used: Vec<&'a str>,
    /// Whether a name was written that could not be found: what seems unused is then no news.
    has_misses: bool,
}

impl<'a> SecretLookup<'a> {
    pub(super) fn new(written: Option<&'a written::Secrets>) -> Self {
        Self { written, used: Vec::new(), has_misses: false }
    }

    /// The secret whose name was written.
    pub(super) fn find(&mut self, text: &Text, problems: &mut Problems) -> Option<SecretName> {
        let found = self.find_known(text, problems);
        self.has_misses |= found.is_none();
        found
    }

    /// The secret whose name was written, if one was. An error has been noted.
    pub(super) fn find_optional(
        &mut self,
        text: Option<&Text>,
        problems: &mut Problems,
    ) -> Result<Option<SecretName>, Unresolved> {
        text.map(|text| self.find(text, problems).ok_or(Unresolved)).transpose()
    }

    fn find_known(&mut self, text: &Text, problems: &mut Problems) -> Option<SecretName> {
        let name = problems.take(text.span, SecretName::parse(&text.value))?;
        let mut known = self.written?.files.0.iter().map(|(name, _)| name.value.as_str());
        if let Some(known) = known.clone().find(|known| *known == name.as_str()) {
            self.used.push(known);
            return Some(name);
        }
        // A word that is like no known name may be a password: it is not shown.
        let mistake = match nearest(name.as_str(), &mut known) {
            Some(nearest) => SecretMistake::Unknown { name: name.0, nearest: nearest.to_owned() },
            None => SecretMistake::Unlike,
        };
        problems.error(text.span, mistake);
        None
    }

    /// All that are defined. What nothing has asked for is worth a warning.
    pub(super) fn resolve(self, problems: &mut Problems) -> Option<Secrets> {
        let mut files = Vec::new();
        for (name, path) in &self.written?.files.0 {
            let parsed = problems.take(name.span, SecretName::parse(&name.value));
            if looks_like_secret(&path.value) {
                problems.error(path.span, SecretMistake::InlineInsteadOfPath);
            }
            if parsed.is_some() && !self.has_misses && !self.used.contains(&name.value.as_str()) {
                problems.warning(name.span, SecretMistake::Unused { name: name.value.clone() });
            }
            files.push(parsed.map(|name| (name, PathBuf::from(&path.value))));
        }
        files.into_iter().collect::<Option<_>>().map(Secrets)
    }
}

/// A Kubernetes Secret with one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubernetesSecret {
    pub name: String,
    pub namespace: &'static str,
    pub key: &'static str,
    /// Whose bytes it holds, less a line end at their end.
    pub from: SecretName,
}

impl KubernetesSecret {
    /// A Secret for a `ClusterIssuer`, which reads its secrets from cert-manager's namespace.
    pub(super) fn of_cert_manager(name: &str, key: &'static str, from: SecretName) -> Self {
        Self { name: name.to_owned(), namespace: "cert-manager", key, from }
    }
}
