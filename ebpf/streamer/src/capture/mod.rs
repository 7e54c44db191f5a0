//! The kernel's side as user space holds it: the loaded program, its maps, its place on the interface.

mod address;
mod attach;
mod interface;
mod link;
mod occupant;
mod program;

pub use address::HolderError;
pub use attach::{AttachError, Hook, Mode, XdpMode};
pub use interface::{Interfaces, Missing};
pub use occupant::{Occupant, Occupants};
pub use program::{Capture, LoadError, RingSize};
