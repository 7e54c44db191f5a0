//! The certificate authority of the servers, as k3s would make it (`NewSelfSignedCACert`), but known before the first boot.
//!
//! Only this one of k3s's authorities is made here: a joining node recognizes the servers by it. k3s makes the others by itself
//! on the first server, each with a root of its own. A common root would let the certificate of an agent's kubelet pass for
//! one of etcd's.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, KeyPair, KeyUsagePurpose};
use zeroize::Zeroizing;

use super::make::MakeError;

/// As long as k3s's own authorities are valid.
const VALIDITY: Duration = Duration::from_hours(10 * 365 * 24);

/// Makes an authority: its certificate and its key (ECDSA P-256, PKCS #8), in PEM.
pub(super) fn make() -> Result<Zeroizing<Vec<u8>>, MakeError> {
    let now = SystemTime::now();
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut parameters = CertificateParams::default();
    let mut name = DistinguishedName::new();
    // The name has the time in it, as k3s's names have, so that two authorities are told apart.
    name.push(DnType::CommonName, format!("k3s-server-ca@{seconds}"));
    parameters.distinguished_name = name;
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
        KeyUsagePurpose::KeyCertSign,
    ];
    parameters.not_before = now.into();
    parameters.not_after = (now + VALIDITY).into();
    let key = KeyPair::generate()?;
    let certificate = parameters.self_signed(&key)?.pem();
    let key = Zeroizing::new(key.serialize_pem());
    let mut file = Zeroizing::new(Vec::with_capacity(certificate.len() + key.len() + 2));
    for block in [certificate.as_str(), key.as_str()] {
        // Line breaks of Windows would be part of the hash.
        for line in block.lines() {
            file.extend_from_slice(line.trim_end().as_bytes());
            file.push(b'\n');
        }
    }
    Ok(file)
}
