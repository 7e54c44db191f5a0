//! Checks that a file is a key that sshd can use by itself: ed25519, without a passphrase.

use data_encoding::BASE64;
use ssh_key::{Algorithm, PrivateKey};
use thiserror::Error;
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const END: &str = "-----END OPENSSH PRIVATE KEY-----";

/// What is wrong with a key. It holds no byte of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HostKeyMistake {
    #[error("is not an OpenSSH private key")]
    NotAKey,
    #[error("has a passphrase, which cannot be entered while the node boots")]
    Passphrase,
    #[error("is not an ed25519 key")]
    OtherType,
}

/// Checks a key (OpenSSH: `PROTOCOL.key`). Its lines may have any length, as for OpenSSH; `PrivateKey::from_openssh` wants 70
/// characters.
pub(super) fn check(bytes: &[u8]) -> Result<(), HostKeyMistake> {
    let text = std::str::from_utf8(bytes).map_err(|_| HostKeyMistake::NotAKey)?.trim();
    let body = text.strip_prefix(BEGIN).and_then(|text| text.strip_suffix(END));
    let mut digits = Zeroizing::new(Vec::with_capacity(bytes.len()));
    digits.extend(body.ok_or(HostKeyMistake::NotAKey)?.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    let key = Zeroizing::new(BASE64.decode(&digits).map_err(|_| HostKeyMistake::NotAKey)?);
    // The error is dropped: it may name what it has read.
    let key = PrivateKey::from_bytes(&key).map_err(|_| HostKeyMistake::NotAKey)?;
    match key.public_key().algorithm() {
        _ if key.is_encrypted() => Err(HostKeyMistake::Passphrase),
        Algorithm::Ed25519 => Ok(()),
        _ => Err(HostKeyMistake::OtherType),
    }
}
