//! Certificates of servers: what one is known by, who judges it, and what is wrong with it.

mod fault;
mod fingerprint;
mod verifier;

pub use fault::CertificateFault;
pub(crate) use fault::fault;
pub use fingerprint::{Fingerprint, NotAFingerprint};
pub(crate) use verifier::{Refusal, Trust, Verifier};
