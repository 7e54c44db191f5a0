//! Judges a server's certificate, and remembers what was wrong with it.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use super::{CertificateFault, Fingerprint, fault};

/// By what a certificate is known to be the right one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Trust {
    /// The authorities that this machine trusts.
    Machine,
    /// It is this one.
    Pinned(Fingerprint),
    /// None is. What is shown can still be seen.
    Nobody,
}

/// A certificate that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) fault: CertificateFault,
    pub(crate) fingerprint: Fingerprint,
}

#[derive(Debug)]
enum Judge {
    Machine(rustls_platform_verifier::Verifier),
    Pinned(Option<Fingerprint>),
}

#[derive(Debug)]
pub(crate) struct Verifier {
    judge: Judge,
    provider: Arc<CryptoProvider>,
    refused: Mutex<Option<Refusal>>,
}

impl Verifier {
    /// Fails where this machine trusts no authority and is to judge.
    pub(crate) fn new(trust: Trust) -> Result<Arc<Self>, Error> {
        let provider = Arc::new(ring::default_provider());
        let judge = match trust {
            Trust::Machine => Judge::Machine(rustls_platform_verifier::Verifier::new(Arc::clone(&provider))?),
            Trust::Pinned(fingerprint) => Judge::Pinned(Some(fingerprint)),
            Trust::Nobody => Judge::Pinned(None),
        };
        Ok(Arc::new(Self { judge, provider, refused: Mutex::new(None) }))
    }

    /// A client's configuration by which it judges.
    pub(crate) fn configuration(self: &Arc<Self>) -> Result<ClientConfig, Error> {
        let verifier: Arc<dyn ServerCertVerifier> = Arc::<Self>::clone(self);
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider));
        let builder = builder.with_safe_default_protocol_versions()?;
        Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
    }

    /// The certificate that was shown last, if it was refused, and why.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
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
        match &self.judge {
            Judge::Pinned(pinned) if *pinned == Some(Fingerprint::of(certificate)) => {
                Ok(ServerCertVerified::assertion())
            }
            Judge::Pinned(_) => Err(CertificateError::ApplicationVerificationFailure.into()),
            Judge::Machine(verifier) => {
                verifier.verify_server_cert(certificate, intermediates, name, ocsp, now)
            }
        }
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
        let judged = self.verify(certificate, intermediates, name, ocsp, now);
        let refusal = judged.as_ref().err().map(|error| Refusal {
            fault: fault(error, &name.to_str()),
            fingerprint: Fingerprint::of(certificate),
        });
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
        judged
    }

    // A certificate is public: that the other side has its key is what makes it the one.
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
