//! Images of a node's eMMC: where things lie in them, what a given one is, and a stream of one with its seed in place.

mod boot;
mod fat;
mod fault;
pub mod identity;
mod inspect;
pub mod layout;
mod open;
mod region;
mod seeded;
mod table;

pub use boot::{Boot, Entry, Ext4Volume, Kernel, Tree};
pub(crate) use fat::OWNER_FILE;
pub use fat::{Fat, SeedOwner};
pub use fault::Fault;
pub use identity::Identity;
pub use inspect::{Content, InspectError, Inspection, Partition, inspect};
pub use open::{Compression, Image, OpenError, UnpackError, open};
pub use seeded::{Seeded, SeededError};
pub use table::{Slot, Table, TableKind};
