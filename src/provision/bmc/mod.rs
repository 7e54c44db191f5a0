//! A board's management controller (BMC): its HTTP API.
//!
//! Sources: turing-machines/bmcd at a15e8fc (`bmcd/src/api/legacy.rs`, `streaming_data_service.rs`,
//! `authentication/`), and answers recorded from bmcd 2.3.7 with its board layer stubbed.

mod client;
mod credentials;
mod envelope;
mod error;
#[cfg(test)]
mod mutation;
pub mod pins;
mod power;
mod slot;
mod transfer;
mod usb;

pub use client::{About, Bmc, first_sight};
pub use credentials::{Credentials, Password};
pub use error::BmcError;
pub(super) use error::RESTART;
pub use power::Power;
pub use slot::Slot;
pub use transfer::{Done, Handle, Running, StartRequest, Transfer};
pub use usb::Usb;
