//! Checks that a file is a key that sshd can use by itself: ed25519, without a passphrase.

use data_encoding::BASE64;
use thiserror::Error;
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const END: &str = "-----END OPENSSH PRIVATE KEY-----";

/// What is wrong with a key. It holds no byte of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HostKeyMistake {
    #[error("is not an OpenSSH private key")]
    NotAKey,
    #[error("has a passphrase, which nobody can enter while the node boots")]
    Passphrase,
    #[error("is not an ed25519 key")]
    OtherType,
}

/// Checks the header of a key (OpenSSH: `PROTOCOL.key`).
pub(super) fn check(bytes: &[u8]) -> Result<(), HostKeyMistake> {
    let text = std::str::from_utf8(bytes).map_err(|_| HostKeyMistake::NotAKey)?.trim();
    let body = text.strip_prefix(BEGIN).and_then(|text| text.strip_suffix(END));
    let mut digits = Zeroizing::new(Vec::with_capacity(bytes.len()));
    digits.extend(body.ok_or(HostKeyMistake::NotAKey)?.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    let key = Zeroizing::new(BASE64.decode(&digits).map_err(|_| HostKeyMistake::NotAKey)?);
    let mut rest = key.strip_prefix(b"openssh-key-v1\0").ok_or(HostKeyMistake::NotAKey)?;
    let mut field = || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (field, after) = after.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        rest = after;
        Some(field)
    };
    let (cipher, _kdf, _options) = (field(), field(), field());
    if cipher.ok_or(HostKeyMistake::NotAKey)? != b"none" {
        return Err(HostKeyMistake::Passphrase);
    }
    // The number of keys comes first, then the length of the public key, then its type with its length.
    let public = rest.get(4..).and_then(|rest| rest.get(8..8 + 11));
    match public {
        Some(b"ssh-ed25519") => Ok(()),
        Some(_) => Err(HostKeyMistake::OtherType),
        None => Err(HostKeyMistake::NotAKey),
    }
}
