//! How a flash goes on the BMC of the test.

use std::time::Duration;

/// What happens, in the order in which it does.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    /// The sentence with which the start is refused.
    pub(crate) start: Option<&'static str>,
    pub(crate) upload: Upload,
    /// What is answered each time that the flash is asked for after the upload; the last one for ever.
    pub(crate) after: Vec<State>,
    /// Whether the node stays on, wired for a flash, when it fails.
    pub(crate) stays_on: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Upload {
    Takes,
    /// The connection is reset after so many bytes.
    Reset(u64),
    /// An error in text/plain after so many bytes.
    Refuses(u64, &'static str),
    /// The request came too late: there is nothing to upload to any more.
    TooLate,
    /// No byte is read any more after so many.
    Stalls(u64),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum State {
    /// So many thousandths of the length are written, or read back.
    Transferring(u64),
    Done,
    /// The success of an earlier flash.
    Stale,
    Error(&'static str),
    Ready,
    /// The transfer of somebody else.
    Other,
    /// Nobody listens for a while; then what comes next.
    Away(Duration),
    /// The BMC has restarted, and knows no login.
    Restarted,
}

impl Course {
    /// All goes well.
    pub(crate) fn well() -> Self {
        use State::{Done, Transferring};
        let after = vec![Transferring(600), Transferring(1000), Transferring(300), Done];
        Self { start: None, upload: Upload::Takes, after, stays_on: false }
    }

    /// The upload goes well, and then this is answered.
    pub(crate) fn after(after: impl Into<Vec<State>>) -> Self {
        Self { after: after.into(), ..Self::well() }
    }

    /// The upload fails, and this is the reason.
    pub(crate) fn upload(upload: Upload, reason: State) -> Self {
        Self { upload, after: vec![reason], ..Self::well() }
    }
}
