//! The parts of names and keys (apimachinery, `pkg/util/validation/validation.go`).

/// The part's length does not count: within a subdomain it may be longer than 63 characters.
pub(super) fn is_label(part: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = part.as_bytes();
    bytes.first().copied().is_some_and(is_letter)
        && bytes.last().copied().is_some_and(is_letter)
        && bytes.iter().all(|byte| is_letter(*byte) || *byte == b'-')
}

/// Letters, digits, `-`, `_` and `.`, a letter or digit at both ends, up to 63.
pub(super) fn is_qualified_part(part: &str) -> bool {
    let bytes = part.as_bytes();
    bytes.len() <= 63
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}
