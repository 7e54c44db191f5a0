//! Why a probe brought nothing.

use std::time::Duration;

use thiserror::Error;

use crate::certificate::{CertificateFault, Fingerprint};

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProbeError {
    #[error("no answer within {} s", limit.as_secs())]
    Late { limit: Duration },
    #[error("nothing answers: {reason}")]
    Unreachable { reason: String },
    #[error("not let in: {reason}")]
    Denied { reason: String },
    #[error("its certificate {fault}")]
    Untrusted {
        fault: CertificateFault,
        /// `None` where the library that saw the certificate does not tell.
        fingerprint: Option<Fingerprint>,
    },
    #[error("not understood: {said}")]
    Unexpected { said: String },
    /// What this machine needs to ask is not there.
    #[error("not asked: {reason}")]
    NotAsked { reason: String },
}

impl ProbeError {
    pub(super) fn unexpected(said: impl Into<String>) -> Self {
        Self::Unexpected { said: said.into() }
    }

    /// Whether the cause lies with whom was asked: nothing is there that answers in time.
    pub(super) fn is_silence(&self) -> bool {
        matches!(self, Self::Late { .. } | Self::Unreachable { .. })
    }
}
