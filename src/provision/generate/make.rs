//! The bytes of a new secret.

use data_encoding::HEXLOWER;
use rustls::crypto::ring;
use thiserror::Error;
use zeroize::Zeroizing;

use super::{authority, host_key};
use crate::config::cluster::SecretKind;

/// The random bytes of a token: 256 bits, which nobody guesses.
const TOKEN_LENGTH: usize = 32;
/// The random bytes of a password of BGP sessions. In hexadecimal digits it is shorter than the shortest limit of a platform,
/// the 80 characters of TCP MD5 (RFC 2385) on Linux.
const PASSWORD_LENGTH: usize = 16;
/// 256 bits, the size of an AES key of the disk.
const DISK_KEY_LENGTH: usize = 32;

#[derive(Debug, Error)]
pub enum MakeError {
    #[error("this machine has no random numbers")]
    Random,
    #[error("no certificate could be made: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("no host key could be made")]
    HostKey,
}

/// Makes a secret of this kind. `comment` is in the public part of a key.
pub(super) fn make(kind: SecretKind, comment: &str) -> Result<Option<Zeroizing<Vec<u8>>>, MakeError> {
    match kind {
        SecretKind::JoinToken => digits(TOKEN_LENGTH).map(Some),
        SecretKind::DiskKey => digits(DISK_KEY_LENGTH).map(Some),
        SecretKind::BgpPassword => digits(PASSWORD_LENGTH).map(Some),
        SecretKind::ServerCa => authority::make().map(Some),
        SecretKind::SshHostKey => host_key::make(comment).map(Some),
        SecretKind::Foreign => Ok(None),
    }
}

/// Returns random hexadecimal digits and a line break.
fn digits(length: usize) -> Result<Zeroizing<Vec<u8>>, MakeError> {
    let mut bytes = Zeroizing::new(vec![0; length]);
    fill(&mut bytes)?;
    let mut text = Zeroizing::new(vec![0; 2 * length + 1]);
    if let Some((end, digits)) = text.split_last_mut() {
        HEXLOWER.encode_mut(&bytes, digits);
        *end = b'\n';
    }
    Ok(text)
}

fn fill(bytes: &mut [u8]) -> Result<(), MakeError> {
    ring::default_provider().secure_random.fill(bytes).map_err(|_| MakeError::Random)
}
