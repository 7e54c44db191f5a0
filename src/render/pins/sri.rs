//! Hashes as Nix and browsers write them: `sha256-` and base64.
//!
//! Source: Subresource Integrity (W3C), section 3.1; the Nix manual, "Hash".

use std::fmt;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

const PREFIX: &str = "sha256-";
const LENGTH: usize = 32;

/// The SHA-256 of a file's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Sri([u8; LENGTH]);

#[derive(Debug, Error)]
pub enum SriError {
    #[error("`{text}` is not a hash of the form `sha256-…=`")]
    NotSri { text: String },
    #[error("`{text}` is not a SHA-256 in hexadecimal digits")]
    NotHexadecimal { text: String },
}

impl Sri {
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// A digest as Helm's index has it: 64 hexadecimal digits, with or without `sha256:` in front.
    pub fn from_hexadecimal(text: &str) -> Result<Self, SriError> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok();
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| SriError::NotHexadecimal { text: text.to_owned() })
    }
}

impl fmt::Display for Sri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{PREFIX}{}", BASE64.encode(&self.0))
    }
}

impl From<Sri> for String {
    fn from(hash: Sri) -> Self {
        hash.to_string()
    }
}

impl TryFrom<String> for Sri {
    type Error = SriError;

    fn try_from(text: String) -> Result<Self, SriError> {
        let bytes = text.strip_prefix(PREFIX).and_then(|text| BASE64.decode(text.as_bytes()).ok());
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(SriError::NotSri { text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-2, appendix B.1.
    const ABC: &str = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";

    #[test]
    fn a_hash_is_written_and_read() {
        assert_eq!(Sri::of(b"abc").to_string(), ABC);
        assert_eq!(Sri::try_from(ABC.to_owned()).unwrap(), Sri::of(b"abc"));
        let digits = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Sri::from_hexadecimal(digits).unwrap(), Sri::of(b"abc"));
        assert_eq!(Sri::from_hexadecimal(&format!("sha256:{digits}")).unwrap(), Sri::of(b"abc"));
    }

    #[test]
    fn text_that_is_not_a_hash_is_refused() {
        for text in ["", "sha256-", "sha512-AAAA", &ABC[..ABC.len() - 1], &ABC.replace('=', "A")] {
            assert!(Sri::try_from(text.to_owned()).is_err(), "{text}");
        }
        for text in ["", "ba78", "sha256:xyz"] {
            assert!(Sri::from_hexadecimal(text).is_err(), "{text}");
        }
    }
}
