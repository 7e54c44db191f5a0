//! From the operator's files to a node's seed.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use zeroize::Zeroizing;

use super::file::{self, State};
use super::host_key::{self, HostKeyMistake};
use super::{Seed, SeedFile};
use crate::config::cluster::{Cluster, Node, SecretName, SecretPlace};
use crate::config::diagnostics::Mistake;

/// A file that cannot be part of a seed.
#[derive(Debug, Error)]
pub enum SeedMistake {
    #[error("the secret `{name}` is {}: `{}`", state.words().to_lowercase(), path.display())]
    Unfit { name: String, path: PathBuf, state: State },
    #[error("cannot read `{}`, the file of the secret `{name}`: {source}", path.display())]
    Read { name: String, path: PathBuf, source: io::Error },
    #[error("`{}`, the host key of `{host}`, {mistake}", path.display())]
    HostKey { host: String, path: PathBuf, mistake: HostKeyMistake },
}

impl Mistake for SeedMistake {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unfit { path, state, .. } => state.hint(path),
            Self::Read { .. } => None,
            Self::HostKey { host, path, .. } => {
                Some(format!("make one: `ssh-keygen -t ed25519 -N '' -C {host} -f {}`", path.display()))
            }
        }
    }
}

/// Everything that is wrong with a node's secrets.
#[derive(Debug, Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Refused(pub Vec<SeedMistake>);

/// Reads the file of one secret.
pub fn secret(name: &SecretName, path: &Path) -> Result<Zeroizing<Vec<u8>>, SeedMistake> {
    let (name, path) = (|| name.as_str().to_owned(), || path.to_owned());
    match file::read(&path()) {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(state)) => Err(SeedMistake::Unfit { name: name(), path: path(), state }),
        Err(source) => Err(SeedMistake::Read { name: name(), path: path(), source }),
    }
}

/// Reads what this node needs, and no other file. `folder` is that of `cluster.toml`.
pub fn for_node(cluster: &Cluster, node: &Node, folder: &Path) -> Result<Seed, Refused> {
    let mut files: Vec<SeedFile> = Vec::new();
    let mut mistakes = Vec::new();
    for each in cluster.secret_uses().into_iter().filter(|each| each.recipients.include(node)) {
        let is_there = |file: &SeedFile| (&file.name, file.place) == (&each.secret, each.place);
        // Without one it comes to the node another way.
        let Some(path) = cluster.secrets.file(&each.secret).filter(|_| !files.iter().any(is_there)) else {
            continue;
        };
        let path = folder.join(path);
        let bytes = match secret(&each.secret, &path) {
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
