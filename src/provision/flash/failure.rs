//! Why a flash failed, the state in which it leaves the node, and what to do.

use std::fmt;
use std::io;
use std::time::Duration;

use thiserror::Error;

use super::steps::Phase;
use crate::common::printable::Line;
use crate::provision::bmc::{BmcError, RESTART, Running};

#[derive(Debug, Error)]
pub enum Failure {
    #[error("another transfer is running on the board: {}", describe(.0))]
    Busy(Running),
    /// Nothing was started.
    #[error(transparent)]
    Bmc(BmcError),
    /// Whether the BMC started is not known.
    #[error("the BMC did not confirm the start of the flash: {0}")]
    Start(#[source] BmcError),
    #[error("the BMC reports: {0}")]
    Reported(Line),
    #[error("the upload failed, and the BMC reports no reason: {0}")]
    Upload(#[source] BmcError),
    #[error("the BMC has not taken any byte of the upload for {} s", .0.as_secs())]
    UploadStalled(Duration),
    #[error("cannot read the image to its end: {0}")]
    Image(#[source] io::Error),
    #[error("no progress for {} s while {phase}", limit.as_secs())]
    Stalled { phase: Phase, limit: Duration },
    #[error("the BMC has not answered for {} s: {source}", limit.as_secs())]
    Lost { limit: Duration, source: BmcError },
    #[error("another transfer has replaced this one: {}", describe(.0))]
    TakenOver(Running),
    #[error("bmcd restarted during the flash and lost the transfer")]
    Restarted,
    #[error("the image is written, but the node could not be powered on: {0}")]
    PowerOn(#[source] BmcError),
    #[error("interrupted")]
    Interrupted,
}

/// The kinds of errors that the BMC reports, each of which needs another remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    Usb,
    Sha256,
    Crc,
    SendTimeout,
    Cancelled,
    /// The worker of the transfer is gone and left no error behind.
    Unsaid,
    NoSpace,
    Other,
}

impl Reason {
    /// Classifies a sentence. Source: bmcd, `usb_boot.rs`, `streaming_data_service.rs`, `app/upgrade_worker.rs`.
    fn of(sentence: &Line) -> Self {
        let text = sentence.as_str();
        let contains = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if contains(&["No space left on device"]) {
            Self::NoSpace
        } else if contains(&["USB", "usb device", "Several supported devices"]) {
            Self::Usb
        } else if contains(&["sha256"]) {
            Self::Sha256
        } else if contains(&["crc error"]) {
            Self::Crc
        } else if contains(&["Send timeout"]) {
            Self::SendTimeout
        } else if text == "transfer canceled" {
            Self::Unsaid
        } else if contains(&["cancel"]) {
            Self::Cancelled
        } else {
            Self::Other
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::Usb => {
                "seat the module firmly and run the command again; if it fails again, disconnect the board from power \
                 for ten seconds"
            }
            Self::Sha256 => {
                "the BMC received other bytes than were sent: run the command again; if it fails again, check the network"
            }
            Self::Crc => {
                "the eMMC does not hold what was written to it: run the command again; if it fails again, the eMMC is \
                 worn out"
            }
            Self::SendTimeout => {
                "the upload did not reach the BMC within 10 s: check the network, then run the command again"
            }
            Self::Cancelled => {
                "another client of the BMC cancelled it: ask who else uses this board, then run the command again"
            }
            Self::Unsaid => {
                "bmcd ended it without a reason: run the command again; its log is in /tmp on the board, `bmcd.*.log`"
            }
            Self::NoSpace => {
                "the image is larger than the module's eMMC: build a smaller image, because running the command again \
                 cannot help"
            }
            Self::Other => "run the command again; see \"When it fails\" in docs/flash.md",
        }
    }
}

impl Failure {
    /// What to do about it, given the state in which it left the node.
    #[must_use]
    pub fn hint(&self, state: NodeState) -> String {
        let hint = match self {
            Self::Interrupted | Self::PowerOn(_) if state == NodeState::Written => {
                "press the board's power button, or run `tpi power on`"
            }
            Self::Busy(_) => {
                "wait until it has ended, or use `--wait-for-board DURATION`; if nobody is flashing, a crashed transfer \
                 was left behind: `--take-over` cancels it"
            }
            Self::Bmc(error) => return error.hint(),
            Self::Start(_) | Self::Upload(_) | Self::Lost { .. } => {
                return format!(
                    "check the network, then run the command again; if the BMC does not answer, {RESTART}"
                );
            }
            Self::Reported(sentence) => Reason::of(sentence).hint(),
            Self::UploadStalled(_) | Self::Stalled { .. } => {
                return format!(
                    "run the command again, with a longer `--stall` on a slow network; if it fails again, {RESTART}"
                );
            }
            Self::Image(_) => "build the image again, and do not change it during the flash",
            Self::TakenOver(_) => "ask who else flashes this board, then run the command again",
            Self::Restarted => {
                "bmcd crashes when the BMC runs out of memory: wait a minute, then run the command again"
            }
            Self::PowerOn(_) | Self::Interrupted => "run the command again",
        };
        hint.to_owned()
    }

    /// Returns whether a sentence of the BMC only says that its transfer was cancelled.
    pub(super) fn is_cancellation(sentence: &Line) -> bool {
        matches!(Reason::of(sentence), Reason::Cancelled | Reason::Unsaid)
    }

    /// Returns whether nothing was written for certain: the module was not found, or no byte arrived in time.
    pub(super) fn is_before_writing(&self) -> bool {
        matches!(self, Self::Reported(sentence) if matches!(Reason::of(sentence), Reason::Usb | Reason::SendTimeout))
    }
}

fn describe(running: &Running) -> String {
    format!("`{}`, {} of {} bytes", Line::new(&running.process_name), running.bytes_written, running.size)
}

/// The state in which a flash leaves the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeState {
    Untouched,
    /// Flashed, verified and on.
    On,
    /// Flashed and verified; whether it is on is not known.
    Written,
    /// Off; nothing was written.
    OffUnwritten,
    /// Off; the previous content of the eMMC is no longer complete.
    OffPartlyWritten,
    /// The transfer of another client may be writing to it.
    InUseByAnother,
    /// The BMC could not be asked.
    Unknown,
}

impl fmt::Display for NodeState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Untouched => "the node was not touched",
            Self::On => "the node is flashed and on",
            Self::Written => "the node is flashed; whether it is on is not known",
            Self::OffUnwritten => "the node is off, and nothing was written to its eMMC",
            Self::OffPartlyWritten => {
                "the node is off, and its eMMC holds part of an image: it cannot boot until it is flashed"
            }
            Self::InUseByAnother => "the node was left alone: the other transfer may be writing to it",
            Self::Unknown => {
                "the node's state is not known: it may be on and wired for flashing, which the next flash puts right"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the sources of bmcd 2.3.7 word them (`api/legacy.rs`, `streaming_data_service.rs`, `usb_boot.rs`).
    #[test]
    fn somebody_is_blamed_only_for_a_cancellation() {
        for (sentence, reason) in [
            ("cancelled by user", Reason::Cancelled),
            ("transfer canceled", Reason::Unsaid),
            ("Compute module's USB interface not found or supported", Reason::Usb),
            ("No space left on device (os error 28)", Reason::NoSpace),
            ("missing 12.3 MB", Reason::Other),
        ] {
            assert_eq!(Reason::of(&Line::new(sentence)), reason, "{sentence}");
        }
        assert!(Failure::is_cancellation(&Line::new("transfer canceled")));
        assert!(!Reason::Unsaid.hint().contains("client"));
    }
}
