//! Judges a server's certificate, and remembers what was wrong with it.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use sha2::{Digest, Sha256};

use crate::cluster::Fingerprint;
use crate::status::failure::{CertificateFault, ProbeError};

/// By what a certificate is known to be the right one.
#[derive(Debug)]
enum Trust {
    /// The authorities that this machine trusts.
    Machine(rustls_platform_verifier::Verifier),
    Pinned(Fingerprint),
}

#[derive(Debug)]
pub(super) struct Verifier {
    trust: Trust,
    provider: Arc<CryptoProvider>,
    refused: Mutex<Option<ProbeError>>,
}

impl Verifier {
    /// With `pinned`, the one certificate that is right; without, any that this machine trusts for the name.
    pub(super) fn new(pinned: Option<Fingerprint>) -> Result<Arc<Self>, ProbeError> {
        let provider = Arc::new(ring::default_provider());
        let trust = match pinned {
            Some(fingerprint) => Trust::Pinned(fingerprint),
            None => rustls_platform_verifier::Verifier::new(Arc::clone(&provider))
                .map(Trust::Machine)
                .map_err(|error| ProbeError::NotAsked {
                    reason: format!("this machine trusts no authority: {error}"),
                })?,
        };
        Ok(Arc::new(Self { trust, provider, refused: Mutex::new(None) }))
    }

    /// A client's configuration by which it judges.
    pub(super) fn configuration(self: &Arc<Self>) -> Result<ClientConfig, Error> {
        let verifier: Arc<dyn ServerCertVerifier> = Arc::<Self>::clone(self);
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider));
        let builder = builder.with_safe_default_protocol_versions()?;
        Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
    }

    /// Why it has refused the last certificate that it refused.
    pub(super) fn refusal(&self) -> Option<ProbeError> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn verify(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.trust {
            Trust::Pinned(pinned) if *pinned == fingerprint(certificate) => {
                Ok(ServerCertVerified::assertion())
            }
            Trust::Pinned(_) => Err(CertificateError::ApplicationVerificationFailure.into()),
            Trust::Machine(verifier) => {
                verifier.verify_server_cert(certificate, intermediates, name, ocsp, now)
            }
        }
    }
}

fn fingerprint(certificate: &CertificateDer<'_>) -> Fingerprint {
    Fingerprint(Sha256::digest(certificate).into())
}

/// What a refusal of rustls means.
pub(super) fn fault(error: &Error, name: &str) -> CertificateFault {
    let Error::InvalidCertificate(error) = error else {
        return CertificateFault::Unverifiable { reason: error.to_string() };
    };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => CertificateFault::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            CertificateFault::NotYetValid
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            CertificateFault::OtherName { name: name.to_owned() }
        }
        CertificateError::UnknownIssuer => CertificateFault::UnknownIssuer,
        CertificateError::ApplicationVerificationFailure => CertificateFault::OtherFingerprint,
        other => CertificateFault::Unverifiable { reason: other.to_string() },
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verify(certificate, intermediates, name, ocsp, now).inspect_err(|error| {
            let fault = fault(error, &name.to_str());
            let refusal = ProbeError::Untrusted { fault, fingerprint: Some(fingerprint(certificate)) };
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
