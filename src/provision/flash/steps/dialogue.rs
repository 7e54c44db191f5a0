//! What is asked of the BMC and what it answers, as the state machine has it.

use std::io;
use std::time::Duration;

use crate::provision::bmc::{BmcError, Handle, Power, Transfer, Usb};
use crate::provision::flash::{Failure, Left};

/// What to ask the BMC, after waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    pub after: Duration,
    pub what: Question,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
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
pub enum Answer {
    Transfer(Transfer),
    Usb(Usb),
    Power(Power),
    Started(Handle),
    /// `ok`, or an upload that has arrived.
    Accepted,
    Refused(BmcError),
    /// The upload failed on this side.
    UploadStalled(Duration),
    Source(io::Error),
}

#[derive(Debug)]
pub enum Next {
    Ask(Ask),
    End(Result<(), Failure>, Left),
}
