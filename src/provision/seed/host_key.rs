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

/// Returns the public half of a key as OpenSSH writes it, without its comment. `None` if the bytes are not a key.
#[must_use]
pub fn public_key(bytes: &[u8]) -> Option<String> {
    let mut public = parse(bytes).ok()?.public_key().clone();
    public.set_comment("");
    public.to_openssh().ok().map(|text| text.trim_end().to_owned())
}

/// Checks a key.
pub(super) fn check(bytes: &[u8]) -> Result<(), HostKeyMistake> {
    let key = parse(bytes)?;
    match key.public_key().algorithm() {
        _ if key.is_encrypted() => Err(HostKeyMistake::Passphrase),
        Algorithm::Ed25519 => Ok(()),
        _ => Err(HostKeyMistake::OtherType),
    }
}

/// Reads a key (OpenSSH: `PROTOCOL.key`). Its lines may have any length, as for OpenSSH; `PrivateKey::from_openssh` wants 70
/// characters.
fn parse(bytes: &[u8]) -> Result<PrivateKey, HostKeyMistake> {
    let text = std::str::from_utf8(bytes).map_err(|_| HostKeyMistake::NotAKey)?.trim();
    let body = text.strip_prefix(BEGIN).and_then(|text| text.strip_suffix(END));
    let mut digits = Zeroizing::new(Vec::with_capacity(bytes.len()));
    digits.extend(body.ok_or(HostKeyMistake::NotAKey)?.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    let key = Zeroizing::new(BASE64.decode(&digits).map_err(|_| HostKeyMistake::NotAKey)?);
    // The error is dropped: it may name what it has read.
    PrivateKey::from_bytes(&key).map_err(|_| HostKeyMistake::NotAKey)
}
