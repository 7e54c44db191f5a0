//! What is wrong with a certificate.

use rustls::{CertificateError, Error};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    #[error("has expired")]
    Expired,
    #[error("is not valid yet")]
    NotYetValid,
    #[error("is not for `{name}`")]
    OtherName { name: String },
    #[error("is not signed by a trusted authority")]
    UnknownIssuer,
    #[error("has another fingerprint than the one that is pinned")]
    OtherFingerprint,
    #[error("cannot be verified: {reason}")]
    Unverifiable { reason: String },
}

/// What a refusal of rustls means.
pub(crate) fn fault(error: &Error, name: &str) -> CertificateFault {
    let Error::InvalidCertificate(error) = error else {
        return CertificateFault::Unverifiable { reason: error.to_string() };
    };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => CertificateFault::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            CertificateFault::NotYetValid
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            CertificateFault::OtherName { name: name.to_owned() }
        }
        CertificateError::UnknownIssuer => CertificateFault::UnknownIssuer,
        CertificateError::ApplicationVerificationFailure => CertificateFault::OtherFingerprint,
        other => CertificateFault::Unverifiable { reason: other.to_string() },
    }
}
