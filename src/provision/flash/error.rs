//! Why the flash of a node ended early: what is wrong, the state of the node, and what to do.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;
use tokio::task::JoinError;

use super::failure::{Failure, NodeState};
use crate::common::printable::Line;
use crate::config::cluster::Label;
use crate::config::diagnostics::Mistake;
use crate::config::modules::Hardware;
use crate::provision::bmc::BmcError;
use crate::provision::bmc::pins::BmcPinsError;
use crate::provision::image::{ImageFault, InspectError, OpenError, UnpackError};
use crate::provision::seed::{Refused, SeedMistake, SeededError};

/// The environment variable with the password of the BMCs.
pub(super) const PASSWORD_VARIABLE: &str = "RK1_BMC_PASSWORD";

/// The sign by which a node is known to be in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InUse {
    /// Kubernetes, asked at this server, counts it as ready.
    Ready { server: String },
    /// Its SSH server greets.
    Ssh { address: IpAddr },
}

impl fmt::Display for InUse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready { server } => write!(formatter, "Kubernetes at {server} counts it as ready"),
            Self::Ssh { address } => write!(formatter, "its SSH server answers at {address}"),
        }
    }
}

#[derive(Debug, Error)]
pub enum FlashError {
    #[error(transparent)]
    Seed(Refused),
    #[error(transparent)]
    Open(OpenError),
    #[error(transparent)]
    Inspect(InspectError),
    #[error("cannot read the image: {0}")]
    ReadImage(#[source] io::Error),
    #[error("`{}` would not boot on {}: {}", image.display(), hardware.indefinite(), join(faults))]
    Unbootable { image: PathBuf, hardware: &'static Hardware, faults: Vec<ImageFault> },
    #[error("`{}` is the image of `{found}`", image.display())]
    ImageOfAnother { image: PathBuf, found: Label, host: Label },
    #[error("`{}` is the image of a host in another cluster", image.display())]
    ImageOfAnotherCluster { image: PathBuf, host: Label },
    #[error(transparent)]
    Pins(BmcPinsError),
    #[error("the node is flashed, but its host key cannot be recorded in `{}`: {source}", file.display())]
    KnownHosts { file: PathBuf, source: io::Error },
    #[error("board `{board}`, BMC {address}: {source}")]
    Board { board: Label, address: IpAddr, source: BmcError },
    #[error(transparent)]
    PasswordSecret(SeedMistake),
    #[error("the secret `{0}` is not UTF-8")]
    PasswordNotText(String),
    #[error("the password of the BMC is empty")]
    PasswordEmpty,
    #[error("the password of the BMC is missing, and there is no terminal to ask for it")]
    PasswordMissing,
    #[error("cannot read the password: {0}")]
    PasswordPrompt(#[source] io::Error),
    #[error("the node is in use: {0}")]
    InUse(InUse),
    #[error("not overwritten")]
    NotConfirmed,
    /// The flash itself has failed.
    #[error("{failure}")]
    Failed { failure: Failure, state: NodeState },
    #[error("interrupted while the node was booting")]
    InterruptedBooting,
    #[error("no SSH server answers at {address} after {} s", waited.as_secs())]
    NoSsh { address: IpAddr, waited: Duration },
    #[error("`{}` ends neither in .img nor in .xz", file.display())]
    OutputName { file: PathBuf },
    #[error("cannot create `{}`: {source}", file.display())]
    OutputCreate { file: PathBuf, source: io::Error },
    #[error("cannot write `{}`: {source}", file.display())]
    OutputWrite { file: PathBuf, source: io::Error },
    #[error("internal error: {0}")]
    Thread(#[source] JoinError),
}

impl FlashError {
    /// Ctrl-C before anything was started.
    pub(super) fn interrupted() -> Self {
        Self::Failed { failure: Failure::Interrupted, state: NodeState::Untouched }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Seed(refused) => {
                let mut hints: Vec<_> = refused.0.iter().filter_map(Mistake::hint).collect();
                // One command makes several secrets.
                hints.dedup();
                return (!hints.is_empty()).then(|| hints.join("; "));
            }
            Self::Open(error) => return error.hint(),
            Self::Inspect(error) => return innermost_hint(error),
            Self::ReadImage(error) | Self::OutputWrite { source: error, .. } => return innermost_hint(error),
            Self::Unbootable { faults, .. } => return faults.first().and_then(Mistake::hint),
            Self::ImageOfAnother { host, .. } => {
                return Some(format!("use the image of this host: `nix build .#{host}`"));
            }
            Self::ImageOfAnotherCluster { host, .. } => {
                return Some(format!(
                    "the names of the cluster and the host are part of the image: build it again with `nix build \
                     .#{host}`"
                ));
            }
            Self::Pins(error) => return error.hint().map(str::to_owned),
            Self::Board { source, .. } => return Some(source.hint()),
            Self::PasswordSecret(mistake) => return mistake.hint(),
            Self::PasswordMissing => {
                return Some(format!(
                    "write `password = \"bmc-password\"` for the board and the secret's file in `[secrets]`, or set \
                     {PASSWORD_VARIABLE}"
                ));
            }
            Self::KnownHosts { .. } => "make the file writable, and run `rk1 secrets --generate`",
            Self::InUse(_) => "use `--yes` to overwrite it",
            Self::Failed { failure, state } => return Some(failure.hint(*state)),
            Self::NoSsh { .. } => {
                "read its console with `tpi uart -n SLOT get`: it may have booted an old system from the NVMe; see \"When \
                 it fails\" in docs/flash.md"
            }
            Self::OutputName { .. } => "the BMC goes by the name: use NAME.img or NAME.img.xz",
            Self::OutputCreate { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => {
                "no file is overwritten: choose another name, or remove the file"
            }
            Self::PasswordNotText(_)
            | Self::PasswordEmpty
            | Self::PasswordPrompt(_)
            | Self::NotConfirmed
            | Self::InterruptedBooting
            | Self::OutputCreate { .. }
            | Self::Thread(_) => return None,
        };
        Some(hint.to_owned())
    }

    /// Returns the state of the node, if the flash may have changed it.
    #[must_use]
    pub fn node_state(&self) -> Option<NodeState> {
        match self {
            Self::Failed { state, .. } => Some(*state),
            Self::InterruptedBooting | Self::NoSsh { .. } => Some(NodeState::On),
            _ => None,
        }
    }

    /// Returns whether the user ended the flash.
    #[must_use]
    pub fn is_interruption(&self) -> bool {
        matches!(self, Self::Failed { failure: Failure::Interrupted, .. } | Self::InterruptedBooting)
    }
}

/// Joins the faults of an image, whose labels are not trusted.
fn join(faults: &[ImageFault]) -> String {
    let faults: Vec<_> = faults.iter().map(|fault| Line::new(&fault.to_string()).to_string()).collect();
    faults.join("; ")
}

/// Returns the hint of the first cause that has one. An [`io::Error`] hides the error that it was made of.
fn innermost_hint(error: &(dyn StdError + 'static)) -> Option<String> {
    if let Some(mistake) = error.downcast_ref::<UnpackError>() {
        return mistake.hint();
    }
    if let Some(mistake) = error.downcast_ref::<SeededError>() {
        return mistake.hint();
    }
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    inner.and_then(|inner| innermost_hint(inner)).or_else(|| error.source().and_then(innermost_hint))
}
