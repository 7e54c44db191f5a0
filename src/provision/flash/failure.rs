//! Why a flash failed, what that leaves behind, and what to do.

use std::fmt;
use std::io;
use std::time::Duration;

use thiserror::Error;

use super::steps::Phase;
use crate::printable::Line;
use crate::provision::bmc::{BmcError, Running};

#[derive(Debug, Error)]
pub enum Failure {
    #[error("another transfer is running on the board: {}", describe(.0))]
    Busy(Running),
    /// Nothing was started.
    #[error(transparent)]
    Bmc(BmcError),
    #[error("the start of the flash was not answered: {0}")]
    Start(#[source] BmcError),
    #[error("the BMC says: {0}")]
    Said(Line),
    #[error("the upload broke off and the BMC does not say why: {0}")]
    Upload(#[source] BmcError),
    #[error("the BMC has taken no byte of the upload for {} s", .0.as_secs())]
    UploadStalled(Duration),
    #[error("the image cannot be read to its end")]
    Source(#[source] io::Error),
    #[error("nothing has moved for {} s while the BMC was {phase}", limit.as_secs())]
    Stalled { phase: Phase, limit: Duration },
    #[error("the BMC could not be asked for {} s: {source}", limit.as_secs())]
    Lost { limit: Duration, source: BmcError },
    #[error("another transfer has taken the place of this one: {}", describe(.0))]
    TakenOver(Running),
    #[error("the BMC knows nothing of this flash any more: it has restarted")]
    Forgotten,
    #[error("the image is written, but the node could not be powered on: {0}")]
    PowerOn(#[source] BmcError),
    #[error("interrupted")]
    Interrupted,
}

/// What kind of sentence the BMC said: each asks for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Usb,
    Sha256,
    Crc,
    SendTimeout,
    Cancelled,
    Other,
}

impl Said {
    /// Source: bmcd, `usb_boot.rs`, `streaming_data_service.rs`, `app/upgrade_worker.rs`.
    fn of(sentence: &Line) -> Self {
        let text = sentence.as_str();
        let usb = ["USB", "usb device", "Several supported devices"];
        if usb.iter().any(|word| text.contains(word)) {
            Self::Usb
        } else if text.contains("sha256") {
            Self::Sha256
        } else if text.contains("crc error") {
            Self::Crc
        } else if text.contains("Send timeout") {
            Self::SendTimeout
        } else if text.contains("cancel") {
            Self::Cancelled
        } else {
            Self::Other
        }
    }
}

impl Failure {
    /// What to do about it, once the node is left so.
    #[must_use]
    pub fn hint(&self, left: Left) -> &'static str {
        match self {
            Self::Interrupted | Self::PowerOn(_) if left == Left::Written => {
                "press the board's power button, or run `tpi power on`"
            }
            Self::Busy(_) => {
                "wait until it has ended; if nobody is flashing, a dead transfer is left over: `--take-over` cancels it"
            }
            Self::Bmc(error) => hint(error),
            Self::Start(_) | Self::Upload(_) | Self::Lost { .. } => {
                "look at the network, then run the command again; \
                 a BMC that ran out of memory has to be restarted, which takes power from all its nodes"
            }
            Self::Said(sentence) => match Said::of(sentence) {
                Said::Usb => {
                    "seat the module firmly and run the command again; if that fails too, \
                     take the board's power away for ten seconds"
                }
                Said::Sha256 => {
                    "what arrived is not what was sent: run the command again; if it repeats, look at the network"
                }
                Said::Crc => {
                    "the eMMC does not hold what was written to it: run the command again; \
                     if it repeats, the eMMC is worn out"
                }
                Said::SendTimeout => {
                    "the upload did not reach the BMC within its 10 s: look at the network, run the command again"
                }
                Said::Cancelled => "somebody cancelled it: agree with them, then run the command again",
                Said::Other => "run the command again; docs/flash.md says how to look into the BMC",
            },
            Self::UploadStalled(_) | Self::Stalled { .. } => {
                "run the command again, with a longer `--stall` on a slow network; \
                 if it repeats, restart the BMC: that takes power from all its nodes"
            }
            Self::Source(_) => "build the image anew, and let nothing change it meanwhile",
            Self::TakenOver(_) => "agree with whoever flashes this board, then run the command again",
            Self::Forgotten => "it runs out of memory at times: wait a minute, then run the command again",
            Self::PowerOn(_) | Self::Interrupted => "run the command again",
        }
    }

    /// Whether it is certain that nothing was written: the module was not found, or no byte arrived in time.
    pub(super) fn is_before_writing(&self) -> bool {
        matches!(self, Self::Said(sentence) if matches!(Said::of(sentence), Said::Usb | Said::SendTimeout))
    }
}

/// What to do about an error of the BMC.
#[must_use]
pub fn hint(error: &BmcError) -> &'static str {
    match error {
        BmcError::Client(_) | BmcError::Tls(_) => "this should not happen: report it",
        BmcError::Unreachable(_) | BmcError::Late | BmcError::Broken(_) => {
            "see whether `bmc` in cluster.toml is the BMC's address; \
             a BMC that ran out of memory has to be restarted, which takes power from all its nodes"
        }
        BmcError::OtherCertificate { .. } => {
            "if the BMC was reset or got new firmware, compare the new fingerprint on the BMC \
             (`openssl x509 -noout -fingerprint -sha256 -in /etc/ssl/certs/bmcd_cert.pem`) \
             and take its line out of bmc.pins; if not, somebody else answers in its place"
        }
        BmcError::Login { said, .. } if said.as_str().contains("Exceeded") => {
            "this machine is banned, and the right password does not help before that time is over: wait"
        }
        BmcError::Login { .. } => {
            "it was tried once and will not be tried again, since five failures end in a ban: \
             mend the password (or `user`) first"
        }
        BmcError::LoginForgotten => {
            "it has restarted, or the login is older than three hours: run the command again"
        }
        BmcError::Refused { .. } | BmcError::NotUnderstood { .. } => {
            "docs/flash.md says how to look into the BMC; firmware older than 2.0 is not understood"
        }
    }
}

fn describe(running: &Running) -> String {
    format!("`{}`, {} of {} bytes", Line::new(&running.process_name), running.bytes_written, running.size)
}

/// In which state the node is afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    Untouched,
    /// Written, verified and on.
    On,
    /// Written and verified; whether it is on is not known.
    Written,
    /// Off. Nothing was written.
    OffAsItWas,
    /// Off. Whatever was on the eMMC is no longer whole.
    OffInPart,
    /// Somebody else's transfer may be at work on it.
    WithAnother,
    /// The BMC could not be asked.
    Unknown,
}

impl fmt::Display for Left {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Untouched => "it was not touched",
            Self::On => "it is flashed and on",
            Self::Written => "it is flashed; whether it is on is not known",
            Self::OffAsItWas => "it is off, and nothing was written to its eMMC",
            Self::OffInPart => {
                "it is off, and its eMMC holds part of an image: it will not boot until it is flashed"
            }
            Self::WithAnother => "it was left alone: the other transfer may be writing to it",
            Self::Unknown => {
                "its state is not known: it may be on and wired for a flash; the next flash mends that"
            }
        })
    }
}
