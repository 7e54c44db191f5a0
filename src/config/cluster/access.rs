//! `[access]`: who may log in.

use data_encoding::BASE64;
use ssh_key::public::{EcdsaPublicKey, KeyData};
use thiserror::Error;

use crate::config::diagnostics::{Mistake, Problems};
use crate::config::written::{self, Text};

/// The key of the repository's own `cluster.toml`. Its private half was thrown away.
const EXAMPLE_KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIAY/kNyFmMQbbcz9I7YHgLwzmt0tNdwxjpCkcJICE/mk";

/// Key types that OpenSSH accepts by default (`ssh -Q PubkeyAcceptedAlgorithms`), certificates left out.
const TYPES: [&str; 7] = [
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "sk-ssh-ed25519@openssh.com",
    "ssh-ed25519",
    "ssh-rsa",
];

/// Bits of the shortest RSA key that OpenSSH accepts (`SSH_RSA_MINIMUM_MODULUS_SIZE`).
const LEAST_RSA_BITS: usize = 1024;

#[derive(Debug, Error)]
enum KeyMistake {
    #[error("`ssh-keys` is empty: nobody could log in")]
    NoKeys,
    #[error("this is not a public SSH key")]
    Malformed,
    #[error("the key is damaged: it is not base64")]
    NotBase64,
    #[error("the key is damaged: {0}")]
    Damaged(ssh_key::Error),
    #[error("the key is damaged: a length in it is wrong")]
    Length,
    #[error("the key is damaged: its point is not on the curve")]
    OffCurve,
    #[error("the key is damaged: a number in it is negative")]
    Negative,
    #[error("the key is of type `{inner}`, but the line says `{outer}`")]
    OtherType { outer: String, inner: String },
    #[error("the RSA key has {bits} bits, fewer than the {LEAST_RSA_BITS} that OpenSSH accepts")]
    ShortRsa { bits: usize },
    #[error("options before the key are not supported")]
    Options,
    #[error("this is a private key")]
    Private,
    #[error("this is the example key, whose private key does not exist")]
    Example,
}

impl Mistake for KeyMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::NoKeys => {
                "write your public key: without one nobody can log in to the nodes or update them"
            }
            Self::Malformed => "write the line of your `~/.ssh/id_ed25519.pub`",
            Self::NotBase64
            | Self::Damaged(_)
            | Self::Length
            | Self::OffCurve
            | Self::Negative
            | Self::OtherType { .. } => {
                "copy the whole line of the `.pub` file again; `ssh-keygen -l -f FILE` checks it"
            }
            Self::ShortRsa { .. } => {
                "generate a key with `ssh-keygen -t ed25519`, and write the line of its `.pub` file"
            }
            Self::Options => "start the line with the type of the key, such as `ssh-ed25519`",
            Self::Private => {
                "write the line of the `.pub` file instead, and replace the key: it is no longer secret"
            }
            Self::Example => "write the line of your own `~/.ssh/id_ed25519.pub` instead",
        };
        Some(instead.to_owned())
    }

    fn marks_secret(&self) -> bool {
        matches!(self, Self::Private)
    }
}

/// The public keys of those who may log in as root.
pub(super) fn resolve(written: &written::Access, problems: &mut Problems) -> Option<Vec<String>> {
    let keys = written.ssh_keys.as_ref()?;
    if keys.is_empty() {
        problems.error(written.span, KeyMistake::NoKeys);
    }
    let keys: Vec<_> = keys.iter().map(|key| resolve_key(key, problems)).collect();
    keys.into_iter().collect()
}

fn resolve_key(key: &Text, problems: &mut Problems) -> Option<String> {
    let parsed = problems.take(key.span, parse_key(&key.value))?;
    if parsed.contains(EXAMPLE_KEY) {
        problems.warning(key.span, KeyMistake::Example);
    }
    Some(parsed)
}

/// Parses a line of `authorized_keys` without options: type, key in base64, and a comment (sshd(8), `AUTHORIZED_KEYS FILE
/// FORMAT`). A line that `ssh-keygen -l` refuses is refused.
fn parse_key(line: &str) -> Result<String, KeyMistake> {
    if line.contains("PRIVATE KEY") {
        return Err(KeyMistake::Private);
    }
    let line = line.trim();
    let mut words = line.split(' ').filter(|word| !word.is_empty());
    let outer = words.next().unwrap_or_default();
    if line.contains(char::is_control) || !TYPES.contains(&outer) {
        let has_type = words.any(|word| TYPES.contains(&word));
        return Err(if has_type { KeyMistake::Options } else { KeyMistake::Malformed });
    }
    let blob = words.next().ok_or(KeyMistake::Malformed)?;
    let bytes = BASE64.decode(blob.as_bytes()).map_err(|_| KeyMistake::NotBase64)?;
    let key = ssh_key::PublicKey::from_bytes(&bytes).map_err(KeyMistake::Damaged)?;
    // The decoder accepts some lengths that are too large.
    if key.to_bytes().is_ok_and(|encoded| encoded != bytes) {
        return Err(KeyMistake::Length);
    }
    let inner = key.algorithm();
    if inner.as_str() != outer {
        return Err(KeyMistake::OtherType { outer: outer.to_owned(), inner: inner.to_string() });
    }
    match key.key_data() {
        KeyData::Rsa(rsa) => check_rsa(rsa)?,
        KeyData::Ecdsa(point) if !is_on_curve(point) => return Err(KeyMistake::OffCurve),
        KeyData::SkEcdsaSha2NistP256(key)
            if p256::PublicKey::from_sec1_bytes(key.ec_point().as_bytes()).is_err() =>
        {
            return Err(KeyMistake::OffCurve);
        }
        _ => {}
    }
    Ok(line.to_owned())
}

fn check_rsa(key: &ssh_key::public::RsaPublicKey) -> Result<(), KeyMistake> {
    let modulus = key.n.as_positive_bytes().ok_or(KeyMistake::Negative)?;
    key.e.as_positive_bytes().ok_or(KeyMistake::Negative)?;
    let unused = modulus.first().map_or(0, |first| first.leading_zeros() as usize);
    let bits = modulus.len() * 8 - unused;
    if bits < LEAST_RSA_BITS { Err(KeyMistake::ShortRsa { bits }) } else { Ok(()) }
}

/// Whether a key is a point of its curve. `ssh-key` decodes it without looking.
fn is_on_curve(key: &EcdsaPublicKey) -> bool {
    match key {
        EcdsaPublicKey::NistP256(point) => p256::PublicKey::from_sec1_bytes(point.as_bytes()).is_ok(),
        EcdsaPublicKey::NistP384(point) => p384::PublicKey::from_sec1_bytes(point.as_bytes()).is_ok(),
        EcdsaPublicKey::NistP521(point) => p521::PublicKey::from_sec1_bytes(point.as_bytes()).is_ok(),
    }
}
