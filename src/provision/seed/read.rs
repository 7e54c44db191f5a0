//! Reads the operator's files of a node's secrets.

use std::path::{Path, PathBuf};

use thiserror::Error;
use zeroize::Zeroizing;

use super::contents::{Seed, SeedFile};
use super::host_key::{self, HostKeyMistake};
use crate::common::secret_file::{self, SecretState};
use crate::config::cluster::{Cluster, Node, SecretName, SecretPlace, Secrets};
use crate::config::diagnostics::Mistake;

/// A file that cannot be part of a seed.
#[derive(Debug, Error)]
pub enum SeedMistake {
    #[error("the secret `{name}` {state}: `{}`", path.display())]
    Unfit { name: String, path: PathBuf, state: SecretState },
    #[error("the secret `{name}` has no file in `[secrets]`")]
    NoFile { name: String },
    #[error("`{}`, the host key of `{host}`, {mistake}", path.display())]
    HostKey { host: String, path: PathBuf, mistake: HostKeyMistake },
}

impl Mistake for SeedMistake {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unfit { path, state, .. } => state.hint(path),
            Self::NoFile { name } => Some(format!("write `{name} = \"secrets/{name}\"`")),
            Self::HostKey { host, path, .. } => {
                Some(format!("create one with `ssh-keygen -t ed25519 -N '' -C {host} -f {}`", path.display()))
            }
        }
    }
}

/// Everything that is wrong with a node's secrets.
#[derive(Debug, Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Refused(pub Vec<SeedMistake>);

/// Reads the file of one secret. `folder` is that of `cluster.toml`.
pub fn secret(
    secrets: &Secrets,
    name: &SecretName,
    folder: &Path,
) -> Result<Zeroizing<Vec<u8>>, SeedMistake> {
    let path = secrets.file(name).ok_or_else(|| SeedMistake::NoFile { name: name.as_str().to_owned() })?;
    read(name, &folder.join(path))
}

fn read(name: &SecretName, path: &Path) -> Result<Zeroizing<Vec<u8>>, SeedMistake> {
    let unfit = |state| SeedMistake::Unfit { name: name.as_str().to_owned(), path: path.to_owned(), state };
    secret_file::read(path).map_err(unfit)
}

/// Reads the secrets that a node needs, and no other file. `folder` is that of `cluster.toml`.
pub fn for_node(cluster: &Cluster, node: &Node, folder: &Path) -> Result<Seed, Refused> {
    let mut files: Vec<SeedFile> = Vec::new();
    let mut mistakes = Vec::new();
    for each in cluster.secret_uses().into_iter().filter(|each| each.recipients.include(node)) {
        let is_there = |file: &SeedFile| (&file.name, file.place) == (&each.secret, each.place);
        // A secret without a file gets to the node another way.
        let Some(path) = cluster.secrets.file(&each.secret).filter(|_| !files.iter().any(is_there)) else {
            continue;
        };
        let path = folder.join(path);
        let bytes = match read(&each.secret, &path) {
            Ok(bytes) => bytes,
            Err(mistake) => {
                mistakes.push(mistake);
                continue;
            }
        };
        if each.place == SecretPlace::SshHostKey
            && let Err(mistake) = host_key::check(&bytes)
        {
            mistakes.push(SeedMistake::HostKey { host: node.name.as_str().to_owned(), path, mistake });
            continue;
        }
        files.push(SeedFile { name: each.secret, place: each.place, bytes });
    }
    if mistakes.is_empty() {
        Ok(Seed { host: node.name.clone(), cluster: cluster.name.clone(), files })
    } else {
        Err(Refused(mistakes))
    }
}
