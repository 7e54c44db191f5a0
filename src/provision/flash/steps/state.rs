//! Where a flash stands, and what it has to remember there.

use super::call::Call;
use crate::provision::flash::failure::Failure;

#[derive(Debug)]
pub(super) enum State {
    /// Reads which transfer is running, before anything is started.
    ReadingTransfer,
    /// Waits for the end of another transfer, as requested.
    WaitingForBoard,
    /// Has cancelled another transfer, as requested.
    TakingOver,
    ReadingUsb,
    Starting,
    Uploading,
    /// Asks the BMC why the upload failed.
    AskingForReason(Failure),
    Following(Progress),
    PoweringOn,
    CleaningUp(CleanUp),
    /// Logs in again, then repeats the call that was rejected.
    LoggingIn {
        resume: Box<State>,
        call: Call,
    },
}

/// How far the BMC has come with the bytes that it received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) is_verifying: bool,
    pub(super) bytes: u64,
}

#[derive(Debug)]
pub(super) struct CleanUp {
    pub(super) failure: Failure,
    pub(super) step: CleanUpStep,
    pub(super) tries: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CleanUpStep {
    ReadTransfer,
    Cancel,
    PowerOff,
    RestoreUsb,
    CheckPower,
}
