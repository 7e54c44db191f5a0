//! Removes secrets from printed text: a token that is written in the wrong place is still a token.

use std::borrow::Cow;

/// The prefixes of well-known tokens: k3s, Grafana, GitHub, JSON Web Tokens, age and PEM keys.
const PREFIXES: [&str; 7] = ["K10", "glsa_", "glc_", "ghp_", "eyJ", "AGE-SECRET-KEY-", "-----BEGIN"];

/// Returns whether a word is probably a secret: a known token, a long hexadecimal string, or a long mixture of upper case,
/// lower case and digits. Public SSH keys and UUIDs are not secrets.
#[must_use]
pub fn looks_like_secret(word: &str) -> bool {
    if word.starts_with("AAAA") {
        return false;
    }
    let known = PREFIXES.iter().any(|prefix| word.starts_with(prefix)) && word.len() >= 16;
    let hexadecimal = word.len() >= 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let has = |class: fn(&u8) -> bool| word.bytes().any(|byte| class(&byte));
    let mixed = word.len() >= 16
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_digit)
        && word.bytes().all(|byte| byte.is_ascii_graphic());
    known || hexadecimal || mixed
}

/// Returns the text with each word that looks like a secret replaced by as many `*`, which keeps the columns.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut redacted = String::new();
    let mut copied = 0;
    for word in words(text).filter(|&(start, end)| looks_like_secret(&text[start..end])) {
        redacted.push_str(&text[copied..word.0]);
        redacted.push_str(&"*".repeat(word.1 - word.0));
        copied = word.1;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    redacted.push_str(&text[copied..]);
    Cow::Owned(redacted)
}

/// Returns the start and end of each sequence of characters that occur in tokens.
fn words(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_~.:-".contains(&byte);
    let bytes = text.as_bytes();
    let mut position = 0;
    std::iter::from_fn(move || {
        let start = position + bytes[position..].iter().position(|&byte| is_part(byte))?;
        let end = bytes[start..]
            .iter()
            .position(|&byte| !is_part(byte))
            .map_or(bytes.len(), |length| start + length);
        position = end;
        Some((start, end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_distinguished_from_names() {
        for secret in [
            "K10c0ffee9f1f3b0f::server:b7a91c2d",
            "glsa_Qm9ndXNUb2tlbkZvclRlc3Rz_0badc0de",
            "0123456789abcdef0123456789abcdef",
            "Zx8Q~Abc.Def123-ghi_JKL",
        ] {
            assert!(looks_like_secret(secret), "{secret}");
        }
        for name in [
            "k3s-token",
            "a-very-long-name-of-a-secret-in-rack-2",
            "secrets/grafana-token",
            "00000000-0000-0000-0000-000000000000",
            "AAAAC3NzaC1lZDI1NTE5AAAAIGpGsjHz5ueLOKAjtTmSLtDtWsuIWBjcAWGgu5rnCQmC",
            "hubble.virtualthoughts.co.uk",
        ] {
            assert!(!looks_like_secret(name), "{name}");
        }
    }

    #[test]
    fn redaction_keeps_every_column() {
        let text = "token = \"K10c0ffee9f1f3b0f::server:b7a91c2d\" # é\n";
        let redacted = redact(text);
        assert_eq!(redacted, "token = \"**********************************\" # é\n");
        assert_eq!(redacted.len(), text.len());
    }
}
