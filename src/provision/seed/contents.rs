//! The contents of a seed.

use std::fmt;

use zeroize::Zeroizing;

use crate::config::cluster::{Label, SecretName, SecretPlace};

/// The secrets of one node. Their bytes are zeroed on drop, and `Debug` hides them.
#[derive(Debug)]
pub struct Seed {
    pub host: Label,
    pub cluster: Label,
    /// Whether the node joins any server that answers: its token does not name the authority of the cluster's servers.
    pub joins_blindly: bool,
    pub files: Vec<SeedFile>,
}

/// One secret, and where it belongs on the node.
pub struct SeedFile {
    pub name: SecretName,
    pub place: SecretPlace,
    pub bytes: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for SeedFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SeedFile")
            .field("name", &self.name)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}
