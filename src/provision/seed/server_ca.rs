//! The certificate authority of the servers, as far as joining nodes need it: the hash by which a token names it.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use thiserror::Error;

const CERTIFICATE: (&str, &str) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
const KEY_ENDS: [&str; 3] =
    ["-----END PRIVATE KEY-----", "-----END EC PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"];

/// What is wrong with the file of an authority. It holds no byte of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ServerCaMistake {
    #[error("does not hold exactly one certificate in PEM")]
    Certificates,
    #[error("does not hold exactly one private key in PEM, without a passphrase")]
    Keys,
}

/// The hash of an authority's certificate, in hexadecimal digits.
///
/// k3s computes it over the bytes of `server-ca.crt` where that holds one certificate (`hashCA` in its `pkg/clientaccess`).
/// `modules/k3s/server-ca.sh` writes the lines of the certificate to that file, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AuthorityHash(String);

impl AuthorityHash {
    /// Returns the hash of the certificate in the file of an authority.
    pub(super) fn of(bytes: &[u8]) -> Result<Self, ServerCaMistake> {
        let text = std::str::from_utf8(bytes).map_err(|_| ServerCaMistake::Certificates)?;
        let (begin, end) = CERTIFICATE;
        let count = |wanted: &str| text.split('\n').filter(|line| *line == wanted).count();
        if count(begin) != 1 || count(end) != 1 {
            return Err(ServerCaMistake::Certificates);
        }
        if KEY_ENDS.iter().map(|line| count(line)).sum::<usize>() != 1 {
            return Err(ServerCaMistake::Keys);
        }
        let mut hash = Sha256::new();
        let from_begin = text.split('\n').skip_while(|line| *line != begin);
        let mut is_whole = false;
        for line in from_begin {
            hash.update(line);
            hash.update("\n");
            is_whole = line == end;
            if is_whole {
                break;
            }
        }
        if is_whole {
            Ok(Self(HEXLOWER.encode(&hash.finalize())))
        } else {
            Err(ServerCaMistake::Certificates)
        }
    }

    /// Returns a hash that a token names.
    pub(super) fn named(digits: &str) -> Self {
        Self(digits.to_ascii_lowercase())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}
