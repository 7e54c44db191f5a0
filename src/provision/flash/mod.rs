//! Writing an image to a module's eMMC through its board's controller.
//!
//! What to do next is decided in [`steps`], from answers alone; [`drive`] asks and waits.

mod drive;
mod failure;
mod find;
mod interrupt;
mod payload;
pub mod ssh;
pub mod steps;
mod upload;

pub use drive::drive;
pub use failure::{Failure, Left, hint};
pub use find::{FindError, find_image};
pub use interrupt::Interrupt;
pub use payload::{Counted, Open, Pass, Payload};
