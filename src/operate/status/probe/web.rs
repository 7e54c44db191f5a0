//! One request over HTTP, and why it was not answered.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, RequestBuilder};
use url::Url;

use crate::common::causes::innermost;
use crate::common::certificate::{Refusal, Trust, Verifier};
use crate::operate::status::error::ProbeError;

/// Bytes of an answer that are read. A route that hundreds of neighbours announce is 300 kB in REST's JSON.
const BODY_LIMIT: usize = 1 << 20;

#[derive(Debug)]
pub(super) struct Web {
    client: Client,
    verifier: Arc<Verifier>,
    limit: Duration,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Web {
    /// Makes a client that uses no proxy and follows no redirection.
    pub(super) fn new(limit: Duration, trust: Trust) -> Result<Self, ProbeError> {
        Self::build(limit, trust, |builder| builder)
    }

    /// Makes a client that reaches `host` at one of `addresses`, whatever DNS says.
    pub(super) fn at(limit: Duration, host: &str, addresses: &[SocketAddr]) -> Result<Self, ProbeError> {
        Self::build(limit, Trust::Machine, |builder| builder.resolve_to_addrs(host, addresses))
    }

    fn build(
        limit: Duration,
        trust: Trust,
        adjust: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self, ProbeError> {
        let unusable = |error: &(dyn Error + 'static)| ProbeError::Skipped { reason: innermost(error) };
        let verifier = Verifier::new(trust).map_err(|error| ProbeError::Skipped {
            reason: format!("this machine has no trusted certificate authorities: {error}"),
        })?;
        let configuration = verifier.configuration().map_err(|error| unusable(&error))?;
        let builder = Client::builder()
            .tls_backend_preconfigured(configuration)
            .no_proxy()
            .redirect(Policy::none())
            .timeout(limit);
        let client = adjust(builder).build().map_err(|error| unusable(&error))?;
        Ok(Self { client, verifier, limit })
    }

    /// Asks for `url`. `adjust` may add credentials.
    pub(super) async fn get(
        &self,
        url: Url,
        adjust: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Page, ProbeError> {
        let failed = |error: reqwest::Error| self.failure(&error);
        log::debug!("GET {url}");
        let mut answer = adjust(self.client.get(url)).send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(ProbeError::unexpected("the answer is too long"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Page { status, body })
    }

    fn failure(&self, error: &reqwest::Error) -> ProbeError {
        if let Some(Refusal { fault, fingerprint }) = self.verifier.refusal() {
            ProbeError::Untrusted { fault, fingerprint: Some(fingerprint) }
        } else if error.is_timeout() {
            ProbeError::Late { limit: self.limit }
        } else {
            ProbeError::Unreachable { reason: innermost(error) }
        }
    }
}
