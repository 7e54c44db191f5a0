//! Lists the secrets that a cluster uses, and whether each is ready to be flashed. No secret is read.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::leak::LeakCheck;
use crate::common::secret_file::SecretState;
use crate::common::secret_source::SecretSource;
use crate::config::cluster::Cluster;

/// A secret that something uses.
#[derive(Debug, Serialize)]
pub struct ListedSecret {
    pub name: String,
    pub state: SecretState,
    /// The file that `rk1` reads, relative to the working directory. `None` if the secret has none.
    pub file: Option<PathBuf>,
    /// Whether `rk1 secrets --generate` can make it.
    pub can_be_made: bool,
    pub uses: Vec<Use>,
    #[serde(skip)]
    leak: LeakCheck,
}

/// One use of a secret.
#[derive(Debug, Serialize)]
pub struct Use {
    pub what: String,
    /// The nodes that get the secret.
    pub nodes: String,
    pub path_on_node: Option<String>,
}

/// Whether a secret can be flashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    Ready,
    NotReady,
    /// Whether Nix would copy it to its store is not known.
    Unknown,
}

/// Returns the secrets that something uses, in the order of their names. `folder` is that of `cluster.toml`.
#[must_use]
pub fn inventory(cluster: &Cluster, folder: &Path) -> Vec<ListedSecret> {
    let all = cluster.secret_uses();
    let mut secrets = Vec::new();
    for name in cluster.secrets.0.keys() {
        let uses: Vec<_> = all
            .iter()
            .filter(|each| &each.secret == name)
            .map(|each| Use {
                what: each.what.clone(),
                nodes: each.recipients.words(),
                path_on_node: each.path_on_node(),
            })
            .collect();
        if uses.is_empty() {
            continue;
        }
        let file = cluster.secrets.file(name).map(|path| folder.join(path));
        let state = match (cluster.secrets.source(name), &file) {
            (SecretSource::Program(_), _) => SecretState::Program,
            (_, Some(file)) => SecretState::of(file),
            (_, None) => SecretState::Elsewhere,
        };
        let leak = match &file {
            Some(file) if is_file(&state) => LeakCheck::of(file, folder),
            _ => LeakCheck::Safe,
        };
        let can_be_made = cluster.made_kind(name).is_some();
        secrets.push(ListedSecret { name: name.as_str().to_owned(), state, file, can_be_made, uses, leak });
    }
    secrets
}

/// Returns whether the bytes of a secret may be in the file itself.
fn is_file(state: &SecretState) -> bool {
    matches!(state, SecretState::Present | SecretState::Exposed | SecretState::TooLarge | SecretState::Empty)
}

impl ListedSecret {
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        match (&self.state, &self.leak) {
            (SecretState::Present | SecretState::Elsewhere | SecretState::Program, LeakCheck::Safe) => {
                Readiness::Ready
            }
            (SecretState::Present, LeakCheck::Unknown(_)) => Readiness::Unknown,
            _ => Readiness::NotReady,
        }
    }

    /// Returns whether the secret is missing and `rk1` can make it.
    #[must_use]
    pub fn is_to_be_made(&self) -> bool {
        self.can_be_made && self.state == SecretState::Missing
    }

    /// Returns what has to be done before the secret can be flashed.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        let Some(file) = self.file.as_deref() else { return Vec::new() };
        let state = match &self.state {
            SecretState::Unreadable(reason) => Some(format!("cannot read `{}`: {reason}", file.display())),
            state => state.hint(file),
        };
        let leak = match &self.leak {
            LeakCheck::Safe => None,
            LeakCheck::Leaks(leak) => Some(leak.hint(file)),
            LeakCheck::Unknown(reason) => {
                Some(format!("could not ask Git whether it ignores `{}`: {reason}", file.display()))
            }
        };
        state.into_iter().chain(leak).collect()
    }
}
