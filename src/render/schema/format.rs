//! Formats that an API server checks (k8s.io/kube-openapi, `pkg/validation/strfmt`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// What a string should be, if it is not. Formats that no API server checks are let pass.
pub(super) fn broken(format: &str, text: &str) -> Option<&'static str> {
    let (is_right, expected) = match format {
        "ipv4" => (text.parse::<Ipv4Addr>().is_ok(), "an IPv4 address"),
        "ipv6" => (text.parse::<Ipv6Addr>().is_ok(), "an IPv6 address"),
        "cidr" => (is_range(text), "a range such as `192.0.2.0/24`"),
        "byte" => (is_base64(text), "Base64"),
        "date-time" => (is_date_time(text), "a time such as `2026-01-31T12:00:00Z`"),
        _ => return None,
    };
    (!is_right).then_some(expected)
}

/// The bounds of a number's format.
pub(super) fn range(format: Option<&str>) -> (Option<f64>, Option<f64>) {
    match format {
        Some("int32") => (Some(f64::from(i32::MIN)), Some(f64::from(i32::MAX))),
        _ => (None, None),
    }
}

/// RFC 4632, section 3.1. As with addresses, a leading zero is refused, which an API server takes: some read it in octal.
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

/// RFC 3339, section 5.6, as far as the digits' places go.
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
