//! Reads the secrets of a node.

use std::path::{Path, PathBuf};

use thiserror::Error;
use zeroize::Zeroizing;

use super::contents::{Seed, SeedFile};
use super::host_key::{self, HostKeyMistake};
use super::join_token::{self, JoinTokenMistake};
use super::server_ca::{AuthorityHash, ServerCaMistake};
use crate::common::secret_file::SecretState;
use crate::common::secret_source::{SecretSource, SourceError};
use crate::config::cluster::{Cluster, Node, SecretName, SecretPlace, Secrets};
use crate::config::diagnostics::Mistake;
use crate::config::written::Role;

/// A secret that cannot be part of a seed.
#[derive(Debug, Error)]
pub enum SeedMistake {
    /// `is_made` says whether `rk1` can make it.
    #[error("the secret `{name}` {error}")]
    Unread { name: String, error: SourceError, is_made: bool },
    #[error("{origin}, the host key of `{host}`, {mistake}")]
    HostKey { host: String, origin: Origin, mistake: HostKeyMistake },
    #[error("the secret `{name}` {mistake}: {origin}")]
    JoinToken { name: String, origin: Origin, mistake: JoinTokenMistake },
    #[error("the secret `{name}` {mistake}: {origin}")]
    ServerCa { name: String, origin: Origin, mistake: ServerCaMistake },
}

/// The source of a secret that was read, for messages.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Origin {
    #[error("`{}`", .0.display())]
    File(PathBuf),
    #[error("what `{0}` prints")]
    Program(String),
}

impl Origin {
    fn of(source: &SecretSource, folder: &Path) -> Self {
        match source {
            SecretSource::File(path) => Self::File(folder.join(path)),
            SecretSource::Program(program) => Self::Program(program.program.clone()),
            SecretSource::Elsewhere => Self::File(folder.to_owned()),
        }
    }

    /// Returns how to have `rk1` make the secret again.
    fn made_again(&self) -> String {
        match self {
            Self::File(path) => format!("move `{}` away and run `rk1 secrets --generate`", path.display()),
            Self::Program(program) => format!("check the secret that `{program}` prints"),
        }
    }
}

impl Mistake for SeedMistake {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unread {
                error: SourceError::Unfit { state: SecretState::Missing, .. },
                is_made: true,
                ..
            } => Some("run `rk1 secrets --generate`".to_owned()),
            Self::Unread { error: SourceError::Unfit { path, state }, .. } => state.hint(path),
            Self::Unread { name, error: SourceError::Elsewhere, .. } => {
                Some(format!("write `{name} = \"secrets/{name}\"`"))
            }
            Self::Unread { error: SourceError::Program { program, .. }, .. } => {
                Some(format!("run `{program}` by hand, as `[secrets]` in cluster.toml says"))
            }
            Self::JoinToken { mistake, origin, .. } => Some(match mistake {
                JoinTokenMistake::NotALine | JoinTokenMistake::NotFull => origin.made_again(),
                JoinTokenMistake::OfServers | JoinTokenMistake::OfAgents | JoinTokenMistake::Shared => {
                    "give servers and agents a token each: docs/secrets.md".to_owned()
                }
                JoinTokenMistake::OtherAuthority => {
                    "write the token of this cluster, or its authority: docs/secrets.md".to_owned()
                }
            }),
            Self::HostKey { host, origin: Origin::File(path), .. } => {
                Some(format!("create one with `ssh-keygen -t ed25519 -N '' -C {host} -f {}`", path.display()))
            }
            Self::ServerCa { origin, .. } | Self::HostKey { origin, .. } => Some(origin.made_again()),
        }
    }
}

/// Everything that is wrong with a node's secrets.
#[derive(Debug, Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Refused(pub Vec<SeedMistake>);

/// Reads one secret. `folder` is that of `cluster.toml`.
pub fn secret(
    secrets: &Secrets,
    name: &SecretName,
    folder: &Path,
) -> Result<Zeroizing<Vec<u8>>, SeedMistake> {
    secrets.source(name).read(folder).map_err(|error| SeedMistake::Unread {
        name: name.as_str().to_owned(),
        error,
        is_made: false,
    })
}

/// The secrets of a cluster, as they are read for one node.
struct Reader<'a> {
    cluster: &'a Cluster,
    folder: &'a Path,
    mistakes: Vec<SeedMistake>,
}

/// Reads the secrets that a node needs, and the authority by which it recognizes the servers. `folder` is that of
/// `cluster.toml`.
pub fn for_node(cluster: &Cluster, node: &Node, folder: &Path) -> Result<Seed, Refused> {
    let mut reader = Reader { cluster, folder, mistakes: Vec::new() };
    let mut files: Vec<SeedFile> = Vec::new();
    for each in cluster.secret_uses().into_iter().filter(|each| each.recipients.include(node)) {
        let is_there = files.iter().any(|file| (&file.name, file.place) == (&each.secret, each.place));
        // A secret without a source gets to the node another way.
        if is_there || *cluster.secrets.source(&each.secret) == SecretSource::Elsewhere {
            continue;
        }
        let Some(bytes) = reader.read(&each.secret) else { continue };
        if each.place == SecretPlace::SshHostKey
            && let Err(mistake) = host_key::check(&bytes)
        {
            let (host, origin) = (node.name.as_str().to_owned(), reader.origin(&each.secret));
            reader.mistakes.push(SeedMistake::HostKey { host, origin, mistake });
            continue;
        }
        files.push(SeedFile { name: each.secret, place: each.place, bytes });
    }
    reader.complete_tokens(&mut files);
    if reader.mistakes.is_empty() {
        let is_first = node.name == cluster.k3s.first_server;
        let token = cluster.k3s.joining.token_of(node.role);
        let token = files.iter().find(|file| file.name == *token);
        let joins_blindly =
            !is_first && token.is_some_and(|file| join_token::authority(&file.bytes).is_none());
        Ok(Seed { host: node.name.clone(), cluster: cluster.name.clone(), joins_blindly, files })
    } else {
        Err(Refused(reader.mistakes))
    }
}

/// Reads the token with which agents join, in its full form if the authority of the servers is known.
pub fn agent_token(cluster: &Cluster, folder: &Path) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let mut reader = Reader { cluster, folder, mistakes: Vec::new() };
    let name = cluster.k3s.joining.token_of(Role::Agent).clone();
    let bytes = reader.read(&name);
    let mut files: Vec<_> = bytes
        .into_iter()
        .map(|bytes| SeedFile { name: name.clone(), place: SecretPlace::Secrets, bytes })
        .collect();
    reader.complete_tokens(&mut files);
    match files.pop() {
        Some(file) if reader.mistakes.is_empty() => Ok(file.bytes),
        _ => Err(Refused(reader.mistakes)),
    }
}

impl Reader<'_> {
    /// Returns the bytes of a secret, or notes a mistake.
    fn read(&mut self, name: &SecretName) -> Option<Zeroizing<Vec<u8>>> {
        match self.cluster.secrets.source(name).read(self.folder) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                let is_made = self.cluster.made_kind(name).is_some();
                self.mistakes.push(SeedMistake::Unread { name: name.as_str().to_owned(), error, is_made });
                None
            }
        }
    }

    fn origin(&self, name: &SecretName) -> Origin {
        Origin::of(self.cluster.secrets.source(name), self.folder)
    }

    /// Completes the tokens in a seed by the hash of the cluster's authority, so that the node recognizes the cluster before
    /// it joins. The authority itself is for the first server alone.
    fn complete_tokens(&mut self, files: &mut [SeedFile]) {
        let joining = &self.cluster.k3s.joining;
        let has_token =
            |file: &SeedFile| file.name == joining.token || Some(&file.name) == joining.agent_token.as_ref();
        let tokens: Vec<_> = files.iter().filter(|file| has_token(file)).collect();
        if let ([one, other], Some(agents)) = (tokens.as_slice(), &joining.agent_token)
            && join_token::is_shared(&one.bytes, &other.bytes)
        {
            self.note_token(agents, JoinTokenMistake::Shared);
        }
        let Ok(authority) = self.authority(files) else { return };
        for file in files.iter_mut().filter(|file| has_token(file)) {
            let role = match &joining.agent_token {
                Some(agents) if *agents == file.name => Some(Role::Agent),
                Some(_) => Some(Role::Server),
                None => None,
            };
            match join_token::complete(&file.bytes, role, authority.as_ref()) {
                Ok(token) => file.bytes = token,
                Err(mistake) => self.note_token(&file.name, mistake),
            }
        }
    }

    fn note_token(&mut self, name: &SecretName, mistake: JoinTokenMistake) {
        let (name, origin) = (name.as_str().to_owned(), self.origin(name));
        self.mistakes.push(SeedMistake::JoinToken { name, origin, mistake });
    }

    /// Returns the hash of the cluster's authority, if the cluster has one that `rk1` can read. An error has been noted.
    fn authority(&mut self, files: &[SeedFile]) -> Result<Option<AuthorityHash>, ()> {
        let Some(name) = &self.cluster.k3s.joining.server_ca else { return Ok(self.named_authority(files)) };
        if *self.cluster.secrets.source(name) == SecretSource::Elsewhere {
            return Ok(None);
        }
        let hash = if let Some(file) = files.iter().find(|file| file.name == *name) {
            AuthorityHash::of(&file.bytes)
        } else if self.has_noted(name) {
            return Err(());
        } else {
            AuthorityHash::of(&self.read(name).ok_or(())?)
        };
        hash.map(Some).map_err(|mistake| {
            let (name, origin) = (name.as_str().to_owned(), self.origin(name));
            self.mistakes.push(SeedMistake::ServerCa { name, origin, mistake });
        })
    }

    /// Returns the authority that the token of servers names, where the first server has made its own.
    fn named_authority(&self, files: &[SeedFile]) -> Option<AuthorityHash> {
        let name = &self.cluster.k3s.joining.token;
        match files.iter().find(|file| file.name == *name) {
            Some(file) => join_token::authority(&file.bytes),
            None => join_token::authority(&self.cluster.secrets.source(name).read(self.folder).ok()?),
        }
    }

    fn has_noted(&self, secret: &SecretName) -> bool {
        let is_of = |mistake: &SeedMistake| matches!(mistake, SeedMistake::Unread { name, .. } if name == secret.as_str());
        self.mistakes.iter().any(is_of)
    }
}
