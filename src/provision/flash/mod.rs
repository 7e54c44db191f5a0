//! Writing an image to a module's eMMC through its board's BMC.
//!
//! [`Flash`] does it for one node after the other. [`steps`] decides what comes next from the BMC's replies alone, and
//! `drive` makes the calls. What the user sees and answers goes through a [`Console`].

mod boards;
mod console;
mod drive;
mod error;
mod failure;
mod find;
mod in_use;
mod interrupt;
mod payload;
mod prepare;
mod run;
mod seeded_file;
mod ssh_greeting;
mod steps;
mod target;
mod upload;

pub use console::{Console, Notice, PasswordPrompt, ReadPurpose};
pub use error::{FlashError, InUse};
pub use failure::NodeState;
pub use interrupt::Interrupt;
pub use run::{Flash, Options, Preview};
pub use seeded_file::SeededFile;
pub use steps::Phase;
pub use target::{HostImage, Target, TargetError, host_image, slot, targets};
