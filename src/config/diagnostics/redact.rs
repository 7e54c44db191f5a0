//! Removes secrets from printed text: a token that is written in the wrong place is still a token.

use std::borrow::Cow;

/// How well-known tokens begin: k3s, Grafana, GitHub, GitLab, `DigitalOcean`, Vault, Tailscale, Slack, JSON Web Tokens, age and
/// PEM keys.
const PREFIXES: [&str; 16] = [
    "K10",
    "glsa_",
    "glc_",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "dop_v1_",
    "hvs.",
    "tskey-",
    "xoxb-",
    "xoxp-",
    "eyJ",
    "AGE-SECRET-KEY-",
    "-----BEGIN",
];

/// Characters of the shortest text that is taken for a secret because it looks random.
const LEAST_RANDOM: usize = 16;
/// Digits of the shortest hexadecimal text that is taken for a secret: 128 bits.
const LEAST_HEXADECIMAL: usize = 32;
/// Characters per part of a random text, at most; a part is a word in camel case or a number. Random letters and digits have
/// 1.9 on average, names more than 2.8; one random text of 70 is above.
const MOST_PER_PART: f64 = 2.75;

/// Keys of `cluster.toml` whose values are public however random they look: fingerprints, serial numbers of disks, and public
/// keys.
const PUBLIC_KEYS: [&str; 4] = ["fingerprint", "device", "storage", "ssh-keys"];

/// Returns whether a word is probably a secret: a known token, a long hexadecimal string, or a long random mixture of upper
/// case, lower case and digits. Public SSH keys, UUIDs and names in camel case are not secrets.
#[must_use]
pub fn looks_like_secret(word: &str) -> bool {
    is_known_token(word) || looks_random(word)
}

fn is_known_token(word: &str) -> bool {
    // The password of a service principal of Azure has `Q~` behind its first four characters.
    let is_azure = word.len() >= 32 && word.chars().skip(4).take(2).eq("Q~".chars());
    is_azure || word.len() >= LEAST_RANDOM && PREFIXES.iter().any(|prefix| word.starts_with(prefix))
}

fn looks_random(word: &str) -> bool {
    if word.starts_with("AAAA") {
        return false;
    }
    // A filesystem, as fstab names it.
    let word = word.strip_prefix("UUID=").unwrap_or(word);
    let hexadecimal = word.len() >= LEAST_HEXADECIMAL && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let has = |class: fn(&u8) -> bool| word.bytes().any(|byte| class(&byte));
    let mixed = word.len() >= LEAST_RANDOM
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_digit)
        && word.bytes().all(|byte| byte.is_ascii_graphic());
    hexadecimal || mixed && characters_per_part(word) < MOST_PER_PART
}

/// Returns the average length of the words and numbers that a text in camel case consists of.
fn characters_per_part(text: &str) -> f64 {
    let class = |byte: u8| match byte {
        b'a'..=b'z' => 'a',
        b'A'..=b'Z' => 'A',
        b'0'..=b'9' => '0',
        _ => '-',
    };
    let (mut parts, mut characters) = (0_u32, 0_u32);
    let mut before = '-';
    let mut bytes = text.bytes().map(class).peekable();
    while let Some(now) = bytes.next() {
        // A capital letter begins a word, except within a row of capitals.
        let begins_word = now == 'A' && (before != 'A' || bytes.peek() == Some(&'a'));
        let continues = now == before || (before, now) == ('A', 'a');
        if now != '-' {
            characters += 1;
            parts += u32::from(begins_word || !continues);
        }
        before = now;
    }
    f64::from(characters) / f64::from(parts.max(1))
}

/// Returns the text with each word that looks like a secret replaced by as many `*`, which keeps the columns.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    redact_by(text, |word| looks_like_secret(&text[word.0..word.1]))
}

/// Returns the text of `cluster.toml` without secrets. Keys are names, and the values of some are public: of these only known
/// tokens are replaced.
#[must_use]
pub fn redact_source(text: &str) -> Cow<'_, str> {
    let mut public = Vec::new();
    let (mut start, mut key) = (0, "");
    for line in text.split_inclusive('\n') {
        let header = line.trim_start().starts_with('[') && !line.contains('"');
        let assigned = line.split_once('=').map(|(name, _)| (name.len(), name.trim().trim_matches('"')));
        let is_key = |name: &str| !name.is_empty() && name.bytes().all(is_part_of_key);
        match assigned.filter(|(_, name)| is_key(name)) {
            _ if header => public.push(start..start + line.len()),
            Some((length, name)) => {
                key = name.rsplit('.').next().unwrap_or(name);
                public.push(start..start + length);
            }
            None => {}
        }
        if PUBLIC_KEYS.contains(&key) {
            public.push(start..start + line.len());
        }
        start += line.len();
    }
    redact_by(text, |(start, end)| {
        let word = &text[start..end];
        let is_public = public.iter().any(|public| public.contains(&start));
        is_known_token(word) || !is_public && looks_random(word)
    })
}

fn is_part_of_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)
}

fn redact_by(text: &str, is_secret: impl Fn((usize, usize)) -> bool) -> Cow<'_, str> {
    let mut redacted = String::new();
    let mut copied = 0;
    for word in words(text).filter(|word| is_secret(*word)) {
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
    use crate::common::mutation::Numbers;

    #[test]
    fn tokens_are_distinguished_from_names() {
        for secret in [
            "K10c0ffee9f1f3b0f::server:b7a91c2d",
            "glsa_Qm9ndXNUb2tlbkZvclRlc3Rz_0badc0de",
            "0123456789abcdef0123456789abcdef",
            "Zx8Q~Abc.Def123-ghi_JKL",
            "abc8Q~lowercaseonlylowercaseonlylower",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzB7f3a",
            "github_pat_11ABCDEFG0",
        ] {
            assert!(looks_like_secret(secret), "{secret}");
        }
        for name in [
            "k3s-token",
            "a-very-long-name-of-a-secret-in-rack-2",
            "secrets/grafana-token",
            "secrets/K3s-Token-2024",
            "00000000-0000-0000-0000-000000000000",
            "AAAAC3NzaC1lZDI1NTE5AAAAIGpGsjHz5ueLOKAjtTmSLtDtWsuIWBjcAWGgu5rnCQmC",
            "hubble.virtualthoughts.co.uk",
            "\u{800}\u{192}é 漢 🦀 a text of many bytes per character",
            "https://Grafana1.example.org:3000/d/packets",
            "clusterPoolIPv4PodCIDRList",
            "ipam.operator.clusterPoolIPv4MaskSize",
            "enableK8sTerminatingEndpoint",
            "MyVeryLongKeyName1234",
        ] {
            assert!(!looks_like_secret(name), "{name}");
        }
    }

    /// Every key of Cilium's and cert-manager's charts is a name, and nearly every random token of the usual lengths is not.
    #[test]
    fn random_tokens_are_hidden_and_keys_of_charts_are_not() {
        let charts = [
            include_str!("../../render/schema/data/charts/cilium-1.20.0.json"),
            include_str!("../../render/schema/data/charts/cert-manager-1.21.1.json"),
        ];
        for word in charts.iter().flat_map(|chart| chart.split('"')).filter(|word| !word.contains(' ')) {
            assert!(!looks_random(word) || word.contains("sha256:"), "{word}");
        }
        let letters = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        let mut numbers = Numbers::new();
        let mut letter = |_| char::from(letters[numbers.below(letters.len())]);
        for length in [20, 24, 32, 40, 64] {
            let tokens: Vec<String> = (0..2000).map(|_| (0..length).map(&mut letter).collect()).collect();
            let missed = tokens.iter().filter(|token| !looks_like_secret(token)).count();
            // A token of 20 characters lacks a class in one case of 30, mostly digits.
            assert!(missed < if length < 32 { 160 } else { 40 }, "{missed} of 2000 with {length} characters");
        }
    }

    #[test]
    fn redaction_keeps_every_column() {
        let text = "token = \"K10c0ffee9f1f3b0f::server:b7a91c2d\" # é\n";
        let redacted = redact(text);
        assert_eq!(redacted, "token = \"**********************************\" # é\n");
        assert_eq!(redacted.len(), text.len());
        assert_eq!(redact_source(text), redacted);
    }

    #[test]
    fn public_values_of_the_file_are_shown() {
        let shown = "\
[cilium.values.aB1cD2eF3gH4iJ5kL]
fingerprint = \"5e7f1a0c93b1d4a86f2e0d7c4b3a29180716253443526170f0e1d2c3b4a5968\"
device = \"/dev/disk/by-id/nvme-S5GXNX0R1aB2cD3eF4\"
aB1cD2eF3gH4iJ5kL = true
ssh-keys = [
  \"ssh-ed25519 BAAAC3NzaC1lZDI1NTE5AAAAIGpGsjHz5ueLOKAjtTmSLtDtWsuIWBjcAWGgu5rnCQmC\",
]
";
        assert_eq!(redact_source(shown), shown);
        let hidden =
            "ssh-keys = [\n  \"glsa_Qm9ndXNUb2tlbkZvclRlc3Rz_0badc0de\",\n]\nname = \"aB1cD2eF3gH4iJ5kL\"\n";
        let expected =
            "ssh-keys = [\n  \"**************************************\",\n]\nname = \"*****************\"\n";
        assert_eq!(redact_source(hidden), expected);
    }
}
