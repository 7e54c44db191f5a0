//! Who may log in.

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

#[derive(Debug, Error)]
enum KeyMistake {
    #[error("nobody may log in")]
    Nobody,
    #[error("this is not a public SSH key")]
    Malformed,
    #[error("this is a private key")]
    Private,
    #[error("nobody holds the private half of this key")]
    Example,
}

impl Mistake for KeyMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::Nobody => "write your public key: without it no update reaches the nodes",
            Self::Malformed => "write the line of your `~/.ssh/id_ed25519.pub`",
            Self::Private => {
                "write the line of the `.pub` file beside it. \
                 A private key that stood in this file is no longer one: replace it"
            }
            Self::Example => "put the line of your own `~/.ssh/id_ed25519.pub` in its place",
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
        problems.error(written.span, KeyMistake::Nobody);
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

/// Type, key in base64, and a comment (sshd(8), under `AUTHORIZED_KEYS FILE FORMAT`), without options in front.
fn parse_key(line: &str) -> Result<String, KeyMistake> {
    if line.contains("PRIVATE KEY") {
        return Err(KeyMistake::Private);
    }
    let mut words = line.split(' ');
    let is_type = words.next().is_some_and(|word| TYPES.contains(&word));
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    let is_key = words.next().is_some_and(|word| {
        // Every blob begins with the length of its type's name: three zero bytes.
        word.starts_with("AAAA") && word.len() >= 68 && word.bytes().all(is_base64)
    });
    let is_line = !line.contains(char::is_control);
    if is_type && is_key && is_line { Ok(line.trim().to_owned()) } else { Err(KeyMistake::Malformed) }
}
