//! The formats of strings that an API server checks: those of schemas (k8s.io/kube-openapi, `pkg/validation/strfmt`) and
//! those of names (apimachinery, `pkg/util/validation/validation.go`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// A format by its name in a schema.
pub(super) struct Format {
    pub(super) name: &'static str,
    pub(super) matches: fn(&str) -> bool,
    /// What to write, as it follows "is not".
    pub(super) expected: &'static str,
}

pub(super) const FORMATS: [Format; 10] = [
    Format { name: "ipv4", matches: |text| text.parse::<Ipv4Addr>().is_ok(), expected: "an IPv4 address" },
    Format { name: "ipv6", matches: |text| text.parse::<Ipv6Addr>().is_ok(), expected: "an IPv6 address" },
    Format { name: "cidr", matches: is_range, expected: "an address range such as `192.0.2.0/24`" },
    Format { name: "byte", matches: is_base64, expected: "Base64" },
    Format { name: "date-time", matches: is_date_time, expected: "a time such as `2026-01-31T12:00:00Z`" },
    Format {
        name: "subdomain",
        matches: |text| text.len() <= 253 && is_subdomain(text),
        expected: "a name of lower-case letters, digits, `-` and `.`",
    },
    Format {
        name: "label",
        matches: |text| text.len() <= 63 && is_label(text),
        expected: "a name of up to 63 lower-case letters, digits and `-`",
    },
    Format {
        name: "label-key",
        matches: is_qualified_name,
        expected: "a key such as `app` or `example.org/app`",
    },
    Format {
        name: "annotation-key",
        matches: |text| is_qualified_name(&text.to_lowercase()),
        expected: "a key such as `app` or `example.org/app`",
    },
    Format {
        name: "label-value",
        matches: |text| text.is_empty() || is_qualified_part(text),
        expected: "up to 63 letters, digits, `-`, `_` and `.`",
    },
];

/// RFC 4632, section 3.1. A leading zero is refused, which an API server takes: some programs read it as octal.
fn is_range(text: &str) -> bool {
    text.split_once('/').is_some_and(|(address, _)| address.parse::<IpAddr>().is_ok())
        && text.parse::<IpNet>().is_ok()
}

/// RFC 4648, section 4, with padding, and not empty.
fn is_base64(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    let letters = text.trim_end_matches('=');
    !text.is_empty()
        && text.len().is_multiple_of(4)
        && text.len() - letters.len() <= 2
        && letters.bytes().all(is_letter)
}

/// RFC 3339, section 5.6. Only the positions of the digits are checked, not their values.
fn is_date_time(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|letter| if letter.is_ascii_digit() { '0' } else { letter.to_ascii_uppercase() })
        .collect();
    let Some(rest) = shape.strip_prefix("0000-00-00T00:00:00") else { return false };
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches('0'),
        None => rest,
    };
    matches!(zone, "Z" | "+00:00" | "-00:00")
}

fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}

/// A part of a subdomain. Within one, its length is not limited to 63 characters.
fn is_label(part: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = part.as_bytes();
    bytes.first().copied().is_some_and(is_letter)
        && bytes.last().copied().is_some_and(is_letter)
        && bytes.iter().all(|byte| is_letter(*byte) || *byte == b'-')
}

/// `name` or `prefix/name`, where the prefix is a subdomain.
fn is_qualified_name(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => prefix.len() <= 253 && is_subdomain(prefix) && is_qualified_part(name),
        None => is_qualified_part(key),
    }
}

/// Letters, digits, `-`, `_` and `.`, with a letter or digit at both ends, up to 63 characters.
fn is_qualified_part(part: &str) -> bool {
    let bytes = part.as_bytes();
    bytes.len() <= 63
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}
