//! A node's seed: the secrets that it needs and nothing more, from the operator's files to a FAT partition in
//! memory, and an image as a stream with that partition in place.

mod file;
mod host_key;
mod partition;
mod read;
mod seeded;
mod store;

pub use file::State;
pub use partition::{Partition, PartitionError, partition};
pub use read::{Refused, SeedMistake, for_node, secret};
pub use seeded::{Seeded, SeededError};
pub use store::Leak;

use std::fmt;

use zeroize::Zeroizing;

use crate::config::cluster::{Label, SecretName, SecretPlace};

/// What one node is given. Its bytes are zeroed when it is dropped, and `Debug` shows none of them.
#[derive(Debug)]
pub struct Seed {
    pub host: Label,
    pub cluster: Label,
    pub files: Vec<SeedFile>,
}

/// One secret.
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
