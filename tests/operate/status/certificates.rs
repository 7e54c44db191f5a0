//! Authorities and the certificates that they sign.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};

pub(crate) struct Authority {
    pub(crate) pem: String,
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// The certificate of a server or a client, with its key.
pub(crate) struct Identity {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) key: PrivateKeyDer<'static>,
    /// For a server that serves only those whose certificate this authority has signed.
    pub(crate) clients: Option<CertificateDer<'static>>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("authority");
        let (pem, certificate) = (certificate.pem(), certificate.der().clone());
        Self { pem, certificate, issuer: Issuer::new(params, key) }
    }

    pub(crate) fn sign(&self, name: &str) -> Identity {
        self.sign_with(name, |_| {})
    }

    /// Signs for a server that asks its clients for a certificate of the same authority.
    pub(crate) fn sign_for_clients(&self, name: &str) -> Identity {
        Identity { clients: Some(self.certificate.clone()), ..self.sign(name) }
    }

    pub(crate) fn sign_expired(&self, name: &str) -> Identity {
        self.sign_with(name, |params| {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2001, 4, 1);
        })
    }

    fn sign_with(&self, name: &str, adjust: impl FnOnce(&mut CertificateParams)) -> Identity {
        let key = KeyPair::generate().expect("key");
        let mut params = CertificateParams::new([name.to_owned()]).expect("parameters");
        adjust(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).expect("certificate").der().clone();
        Identity { certificate, key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(), clients: None }
    }
}

impl Identity {
    /// The certificate and its key in PEM.
    pub(crate) fn pem(&self) -> [String; 2] {
        let pem = |label: &str, der: &[u8]| {
            let body = data_encoding::BASE64.encode(der);
            format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
        };
        [pem("CERTIFICATE", &self.certificate), pem("PRIVATE KEY", self.key.secret_der())]
    }

    /// The certificate and its key as a kubeconfig has them: base64 of PEM.
    pub(crate) fn kubeconfig_data(&self) -> [String; 2] {
        self.pem().map(|pem| data_encoding::BASE64.encode(pem.as_bytes()))
    }

    /// SHA-256, as `RouterOS` prints it.
    pub(crate) fn fingerprint(&self) -> String {
        data_encoding::HEXLOWER.encode(&Sha256::digest(&self.certificate))
    }
}

impl Clone for Identity {
    fn clone(&self) -> Self {
        Self {
            certificate: self.certificate.clone(),
            key: self.key.clone_key(),
            clients: self.clients.clone(),
        }
    }
}
