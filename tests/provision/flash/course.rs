//! The course of a flash on the stand-in for the BMC.

use std::time::Duration;

/// What happens during a flash, in this order.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    /// The error with which the start is refused.
    pub(crate) start: Option<&'static str>,
    pub(crate) upload: Upload,
    /// The answers to the questions about the flash after the upload. The last one is repeated.
    pub(crate) after: Vec<State>,
    /// Whether the node stays on and wired for flashing when the flash fails.
    pub(crate) stays_on: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Upload {
    /// All bytes are read.
    Takes,
    /// The connection is closed after so many bytes.
    Reset(u64),
    /// An error is answered after so many bytes. The BMC neither reads on nor closes the connection.
    Refuses(u64, &'static str),
    /// The request came too late, and the transfer has ended.
    TooLate,
    /// After so many bytes none is read until the next client connects.
    Stalls(u64),
    /// After so many bytes none is read for a while.
    Pauses(u64, Duration),
    /// The daemon crashes after so many bytes, and is back after a while.
    Crash(u64, Duration),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum State {
    /// So many thousandths of the length are written or read back.
    Transferring(u64),
    Done,
    /// The success of an earlier flash.
    Stale,
    Error(&'static str),
    /// The transfer of another client.
    Other,
    /// The BMC refuses connections for a while, then goes on.
    Away(Duration),
    /// The daemon crashes, and is back after a while without logins and transfers.
    Restarted(Duration),
}

impl Course {
    /// The flash succeeds.
    pub(crate) fn successful() -> Self {
        use State::{Done, Transferring};
        let after = vec![Transferring(600), Transferring(1000), Transferring(300), Done];
        Self { start: None, upload: Upload::Takes, after, stays_on: false }
    }

    /// The upload succeeds, and then this is answered.
    pub(crate) fn after(after: impl Into<Vec<State>>) -> Self {
        Self { after: after.into(), ..Self::successful() }
    }

    /// The upload fails for this reason.
    pub(crate) fn upload(upload: Upload, reason: State) -> Self {
        Self { upload, after: vec![reason], ..Self::successful() }
    }
}
