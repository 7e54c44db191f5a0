//! Images of a node's eMMC: where things lie in them, what a given one is.

mod boot;
pub(crate) mod fat;
mod fault;
pub mod identity;
mod inspect;
pub mod layout;
mod open;
mod region;
mod table;

pub use boot::{Boot, Entry, Ext4Volume, Kernel, Tree};
pub use fat::{Fat, SeedOwner};
pub use fault::Fault;
pub use identity::Identity;
pub use inspect::{Content, InspectError, Inspection, Partition, inspect};
pub use open::{Compression, Image, OpenError, UnpackError, open};
pub use table::{Slot, Table, TableKind};
