//! A node's seed: the secrets that the node needs and nothing more, from the operator's files to a FAT partition in
//! memory, and an image as a stream that holds this partition.

mod contents;
mod host_key;
mod inventory;
mod join_token;
mod leak;
mod partition;
mod read;
mod seeded;
mod server_ca;

pub use contents::{Seed, SeedFile};
pub use host_key::public_key as public_host_key;
pub use inventory::{ListedSecret, Readiness, Use, inventory};
pub use partition::{PartitionError, SeedPartition, partition};
pub use read::{Origin, Refused, SeedMistake, agent_token, for_node, secret};
pub use seeded::{Seeded, SeededError};
