//! Makes what is missing, and replaces what is named.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use thiserror::Error;

use super::known::known_host;
use super::make::{MakeError, make};
use super::{ignore, store};
use crate::common::known_hosts::{self, KnownHost};
use crate::common::secret_file::SecretState;
use crate::common::secret_source::SecretSource;
use crate::config::cluster::{Cluster, Node, SecretKind, SecretName};

/// What `rk1 secrets --generate` has done.
#[derive(Debug, Serialize)]
pub struct Generated {
    pub secrets: Vec<GeneratedSecret>,
    /// Lines that `.gitignore` lacked.
    pub ignored: Vec<String>,
    /// The list of host keys, if it has changed.
    pub known_hosts: Option<PathBuf>,
}

/// A secret that the cluster uses, and what was done about it.
#[derive(Debug, Serialize)]
pub struct GeneratedSecret {
    pub name: String,
    pub file: Option<PathBuf>,
    pub action: Action,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    Made,
    /// The file was there, whatever it holds.
    Kept,
    /// Another system issues the secret, and its file is missing.
    ToBeWritten,
    /// The secret has no file: a program prints it, or it gets to the nodes another way.
    NoFile,
}

/// A secret that was replaced.
#[derive(Debug, Serialize)]
pub struct Rotated {
    pub name: String,
    pub file: PathBuf,
    /// The file with the old secret.
    pub previous: PathBuf,
    #[serde(skip)]
    pub kind: SecretKind,
}

#[derive(Debug, Error)]
pub enum GenerateError {
    #[error("the secret `{name}` cannot be made: {source}")]
    Make { name: String, source: MakeError },
    #[error("cannot write `{}`: {source}", file.display())]
    Write { file: PathBuf, source: io::Error },
    #[error("the cluster has no secret `{name}`")]
    Unknown { name: String },
    #[error("the secret `{name}` cannot be made: another system issues it")]
    Foreign { name: String },
    #[error("the secret `{name}` has no file")]
    NoFile { name: String },
    #[error("the secret `{name}` {state}: `{}`", file.display())]
    Unfit { name: String, file: PathBuf, state: SecretState },
    #[error("`{}` exists, with an older secret", file.display())]
    PreviousExists { file: PathBuf },
}

impl GenerateError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Make { .. } => None,
            Self::Write { file, .. } => {
                Some(format!("check the permissions of `{}` and its folder", file.display()))
            }
            Self::Unknown { .. } => Some("`rk1 secrets` lists the names".to_owned()),
            Self::Foreign { .. } => {
                Some("have that system issue another one, and write it to the file".to_owned())
            }
            Self::NoFile { .. } => Some("replace it where it comes from".to_owned()),
            Self::Unfit { state: SecretState::Missing, .. } => {
                Some("run `rk1 secrets --generate`".to_owned())
            }
            Self::Unfit { file, state, .. } => state.hint(file),
            Self::PreviousExists { file } => {
                Some(format!("remove `{}` when no node has that secret any more", file.display()))
            }
        }
    }
}

/// Makes every secret that is missing and that `rk1` can make, and records the host keys. `folder` is that of `cluster.toml`.
pub fn generate(cluster: &Cluster, folder: &Path) -> Result<Generated, GenerateError> {
    let mut generated = Generated { secrets: Vec::new(), ignored: Vec::new(), known_hosts: None };
    let uses = cluster.secret_uses();
    for (name, source) in &cluster.secrets.0 {
        if !uses.iter().any(|each| each.secret == *name) {
            continue;
        }
        let action = match source {
            SecretSource::Elsewhere | SecretSource::Program(_) => Action::NoFile,
            SecretSource::File(file) if store::is_taken(&folder.join(file)) => Action::Kept,
            SecretSource::File(file) => match cluster.made_kind(name) {
                Some(kind) => {
                    generated.ignored.extend(ignored(folder, file)?);
                    write_new(cluster, folder, name, file, kind)?
                }
                None => Action::ToBeWritten,
            },
        };
        let file = source.file().map(|file| folder.join(file));
        generated.secrets.push(GeneratedSecret { name: name.as_str().to_owned(), file, action });
    }
    generated.known_hosts = record_all(cluster, folder)?;
    Ok(generated)
}

fn ignored(folder: &Path, file: &Path) -> Result<Option<String>, GenerateError> {
    ignore::add(folder, file)
        .map_err(|source| GenerateError::Write { file: folder.join(".gitignore"), source })
}

fn write_new(
    cluster: &Cluster,
    folder: &Path,
    name: &SecretName,
    file: &Path,
    kind: SecretKind,
) -> Result<Action, GenerateError> {
    let made = make(kind, &comment(cluster, name));
    let made = made.map_err(|source| GenerateError::Make { name: name.as_str().to_owned(), source })?;
    let Some(bytes) = made else { return Ok(Action::ToBeWritten) };
    let file = folder.join(file);
    match store::create(&file, &bytes) {
        Ok(true) => Ok(Action::Made),
        // Somebody was faster.
        Ok(false) => Ok(Action::Kept),
        Err(source) => Err(GenerateError::Write { file, source }),
    }
}

/// Returns the name of the node whose host key the secret is.
fn comment(cluster: &Cluster, name: &SecretName) -> String {
    let node = cluster.nodes.iter().find(|node| node.ssh_host_key.as_ref() == Some(name));
    node.map(|node| node.name.to_string()).unwrap_or_default()
}

/// Records the host keys whose files can be read. A key that cannot be read is reported by `rk1 secrets` and `rk1 flash`.
fn record_all(cluster: &Cluster, folder: &Path) -> Result<Option<PathBuf>, GenerateError> {
    let known = |node: &Node| -> Option<KnownHost> {
        // No program is run for this.
        let source = cluster.secrets.source(node.ssh_host_key.as_ref()?);
        source.file()?;
        known_host(cluster, node, &source.read(folder).ok()?)
    };
    let hosts: Vec<_> = cluster.nodes.iter().filter_map(known).collect();
    let file = folder.join(known_hosts::FILE_NAME);
    match known_hosts::record(folder, &hosts) {
        Ok(has_changed) => Ok(has_changed.then_some(file)),
        Err(source) => Err(GenerateError::Write { file, source }),
    }
}

/// Replaces a secret that `rk1` can make. The old one is kept beside it: a running cluster still has it.
pub fn rotate(cluster: &Cluster, folder: &Path, name: &str) -> Result<Rotated, GenerateError> {
    let owned = || name.to_owned();
    let secret = cluster.secrets.0.keys().find(|known| known.as_str() == name);
    let secret = secret.ok_or_else(|| GenerateError::Unknown { name: owned() })?;
    let kind = cluster.made_kind(secret).ok_or_else(|| GenerateError::Foreign { name: owned() })?;
    let file = cluster.secrets.file(secret).ok_or_else(|| GenerateError::NoFile { name: owned() })?;
    let file = folder.join(file);
    if let Err(state) = crate::common::secret_file::read(&file) {
        return Err(GenerateError::Unfit { name: owned(), file, state });
    }
    let previous =
        file.with_file_name(format!("{}.previous", file.file_name().unwrap_or_default().to_string_lossy()));
    if store::is_taken(&previous) {
        return Err(GenerateError::PreviousExists { file: previous });
    }
    let made = make(kind, &comment(cluster, secret));
    let made = made.map_err(|source| GenerateError::Make { name: owned(), source })?;
    let bytes = made.ok_or_else(|| GenerateError::Foreign { name: owned() })?;
    store::replace(&file, &previous, &bytes)
        .map_err(|source| GenerateError::Write { file: file.clone(), source })?;
    record_all(cluster, folder)?;
    Ok(Rotated { name: owned(), file, previous, kind })
}
