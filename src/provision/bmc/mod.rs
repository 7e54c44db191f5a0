//! A board's management controller (BMC): its HTTP API.
//!
//! Sources: turing-machines/bmcd at a15e8fc (`bmcd/src/api/legacy.rs`, `streaming_data_service.rs`,
//! `authentication/`), and answers recorded of bmcd 2.3.7 with its board layer stubbed.

mod about;
mod client;
mod credentials;
mod envelope;
pub mod pins;
mod power;
mod slot;
mod transfer;
mod usb;

pub use about::{About, Info};
pub use client::{Bmc, first_sight};
pub use credentials::{Credentials, Password};
pub use power::Power;
pub use slot::Slot;
pub use transfer::{Done, Handle, Running, StartRequest, Transfer};
pub use usb::Usb;

use reqwest::StatusCode;
use thiserror::Error;

use crate::certificate::Fingerprint;
use crate::printable::Line;

#[derive(Debug, Error)]
pub enum BmcError {
    #[error("cannot make connections")]
    Client(#[source] reqwest::Error),
    #[error("cannot make connections")]
    Tls(#[from] rustls::Error),
    #[error("the BMC cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("the BMC does not answer in time")]
    Late,
    #[error("the BMC broke the connection off")]
    Broken(#[source] reqwest::Error),
    #[error("the BMC shows the certificate {found}, not the one that is pinned, {pinned}")]
    OtherCertificate { pinned: Fingerprint, found: Fingerprint },
    #[error("the BMC does not let `{user}` in: {said}")]
    Login { user: String, said: Line },
    /// What it says is not kept: it repeats the token.
    #[error("the BMC no longer knows this login")]
    LoginForgotten,
    #[error("the BMC refuses with status {}: {said}", status.as_u16())]
    Refused { status: StatusCode, said: Line },
    #[error("the BMC answers something that is not understood: {said}")]
    NotUnderstood { said: Line },
}

impl BmcError {
    /// Whether the same question may be answered in a while: it did not arrive, or the answer did not.
    #[must_use]
    pub fn is_of_the_connection(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Late | Self::Broken(_))
    }

    /// Whether asking anything more would count as an attempt to break in, and end in a ban.
    #[must_use]
    pub fn is_of_the_login(&self) -> bool {
        matches!(self, Self::Login { .. } | Self::LoginForgotten)
    }

    /// Without the address: who is asked is known, and the line that shows it names them.
    fn of_request(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if error.is_timeout() {
            Self::Late
        } else if error.is_connect() {
            Self::Unreachable(error)
        } else if error.is_builder() {
            Self::Client(error)
        } else {
            Self::Broken(error)
        }
    }
}
