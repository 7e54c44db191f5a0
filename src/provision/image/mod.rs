//! Images of a node's boot disk: the layout of one, and what a given one contains.

mod boot;
mod ext4;
pub(crate) mod fat;
mod fault;
pub mod identity;
mod inspect;
pub mod layout;
mod open;
mod region;
mod table;
mod volume;

pub use boot::{Boot, BootEntry, DeviceTree, Kernel};
pub use ext4::Ext4Volume;
pub use fat::{Fat, SeedOwner};
pub use fault::ImageFault;
pub use identity::Identity;
pub use inspect::{Content, InspectError, Inspection, Partition, inspect};
pub use open::{Compression, Image, OpenError, UnpackError, open};
pub use table::{Table, TableEntry, TableFault, TableKind};
