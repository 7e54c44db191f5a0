//! Why a probe brought no answer.

use std::time::Duration;

use thiserror::Error;

use crate::common::certificate::{CertificateFault, Fingerprint};
use crate::common::printable::printable;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProbeError {
    #[error("no answer within {} s", limit.as_secs())]
    Late { limit: Duration },
    #[error("connection failed: {reason}")]
    Unreachable { reason: String },
    #[error("access denied: {reason}")]
    Denied { reason: String },
    #[error("its certificate {fault}")]
    Untrusted {
        fault: CertificateFault,
        /// `None` where the library that saw the certificate does not tell.
        fingerprint: Option<Fingerprint>,
    },
    #[error("unexpected answer: {said}")]
    Unexpected { said: String },
    /// This machine lacks what it needs to ask.
    #[error("skipped: {reason}")]
    Skipped { reason: String },
}

impl ProbeError {
    pub(super) fn unexpected(said: impl AsRef<str>) -> Self {
        Self::Unexpected { said: printable(said.as_ref()) }
    }

    pub(super) fn skipped(reason: impl Into<String>) -> Self {
        Self::Skipped { reason: reason.into() }
    }

    /// Whether nothing answered in time, so that the cause lies with the host that was asked.
    pub(super) fn is_silence(&self) -> bool {
        matches!(self, Self::Late { .. } | Self::Unreachable { .. })
    }
}
