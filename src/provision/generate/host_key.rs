//! Host keys of sshd: ed25519, in OpenSSH's format.

use rcgen::{KeyPair, PKCS_ED25519};
use ssh_key::private::{Ed25519Keypair, Ed25519PrivateKey, KeypairData};
use ssh_key::public::Ed25519PublicKey;
use ssh_key::{LineEnding, PrivateKey};
use zeroize::Zeroizing;

use super::make::MakeError;

/// The bytes before the private key in its PKCS #8 form (RFC 8410, section 7), after the length of the whole and the version.
const BEFORE_KEY: [u8; 11] = [0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// Makes a key. `comment` is the name of its node.
pub(super) fn make(comment: &str) -> Result<Zeroizing<Vec<u8>>, MakeError> {
    let pair = KeyPair::generate_for(&PKCS_ED25519)?;
    let pkcs8 = Zeroizing::new(pair.serialize_der());
    let wrong = || MakeError::HostKey;
    let at = pkcs8.windows(BEFORE_KEY.len()).position(|bytes| bytes == BEFORE_KEY).ok_or_else(wrong)?;
    let private = pkcs8.get(at + BEFORE_KEY.len()..).and_then(|rest| rest.first_chunk()).ok_or_else(wrong)?;
    let public = pair.public_key_raw().try_into().map_err(|_| wrong())?;
    let pair =
        Ed25519Keypair { public: Ed25519PublicKey(public), private: Ed25519PrivateKey::from_bytes(private) };
    let key = PrivateKey::new(KeypairData::Ed25519(pair), comment).map_err(|_| wrong())?;
    Ok(Zeroizing::new(key.to_openssh(LineEnding::LF).map_err(|_| wrong())?.as_bytes().to_vec()))
}
