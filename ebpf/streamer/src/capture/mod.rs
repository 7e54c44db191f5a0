//! The kernel's side: interfaces, the loaded program, its maps, and its attachment.

mod address;
mod attach;
mod bpf;
mod device;
mod interface;
mod netlink;
mod occupant;
mod packets;
mod program;
mod reception;

pub use address::HolderError;
pub use attach::{AttachError, Directions, Hook, Mode, Plan, XdpMode, plan};
pub use device::{Device, LinkType};
pub use interface::{Interfaces, Missing};
pub use occupant::{Attached, Occupant, Occupants};
pub use program::{Capture, CaptureOptions, LoadError, RingSize};
pub(crate) use program::{OLDEST_TESTED, OLDEST_WITH_CALLS, TESTED, version};
pub use reception::Reception;
