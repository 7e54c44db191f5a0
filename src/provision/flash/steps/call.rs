//! The calls to the BMC and its replies, as the state machine sees them, and the phases that are shown.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::provision::bmc::{BmcError, Handle, Power, Transfer, Usb};
use crate::provision::flash::failure::{Failure, NodeState};

/// A call to make after waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::provision::flash) struct TimedCall {
    pub after: Duration,
    pub call: Call,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::provision::flash) enum Call {
    /// Log in again, because the BMC has forgotten the login.
    LogIn,
    Transfer,
    Usb,
    Power,
    Start,
    Upload(Handle),
    Cancel(Handle),
    SetPower(bool),
    SetUsb(Usb),
}

#[derive(Debug)]
pub(in crate::provision::flash) enum Reply {
    Transfer(Transfer),
    Usb(Usb),
    Power(Power),
    Started(Handle),
    /// The call succeeded. An upload has arrived completely.
    Accepted,
    Failed(BmcError),
    /// The BMC has not taken any byte of the upload for so long.
    UploadStalled(Duration),
    /// The image could not be read during the upload.
    ImageUnreadable(io::Error),
}

#[derive(Debug)]
pub(in crate::provision::flash) enum Next {
    Call(TimedCall),
    End(Result<(), Failure>, NodeState),
}

/// The part of a flash that is running, for the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    ReadingState,
    /// Another transfer is running, and the flash waits for its end.
    WaitingForBoard,
    LoggingInAgain,
    Starting,
    /// The number of bytes that have been sent.
    Sending(u64),
    /// The number of bytes that have been written.
    Writing(u64),
    /// The number of bytes that have been read back.
    Verifying(u64),
    PoweringOn,
    CleaningUp,
}

/// Formats the phase for "no progress for 120 s while …".
impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadingState => formatter.write_str("reading the BMC's state"),
            Self::WaitingForBoard => formatter.write_str("waiting for another transfer"),
            Self::LoggingInAgain => formatter.write_str("logging in again"),
            Self::Starting => formatter.write_str("starting the flash"),
            Self::Sending(bytes) => write!(formatter, "sending the image, after {bytes} bytes"),
            Self::Writing(bytes) => write!(formatter, "the BMC was writing, after {bytes} bytes"),
            Self::Verifying(bytes) => write!(formatter, "the BMC was reading back, after {bytes} bytes"),
            Self::PoweringOn => formatter.write_str("powering the node on"),
            Self::CleaningUp => formatter.write_str("cleaning up"),
        }
    }
}
