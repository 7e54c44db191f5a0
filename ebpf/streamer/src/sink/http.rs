//! Rows over HTTP: to Grafana Live, and to everything that accepts `InfluxDB`'s line protocol.

use super::answer::{Answer, Asked};
use super::endpoint::literal;
use super::resolver::Resolver;
use super::{Endpoint, Outcome, OwnAddresses, Target, TokenSource};
use crate::row::Batch;
use reqwest::Client;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long a push may take, from the connection to the answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Sends batches to one URL.
#[derive(Debug)]
pub struct HttpSink {
    client: Client,
    endpoint: Endpoint,
    token: TokenSource,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    #[error(
        "https cannot be used: {cause}\n\
         hint: install the system's CA certificates (ca-certificates), or set SSL_CERT_FILE to a file that has them"
    )]
    Https { cause: String },
    #[error("http cannot be used: {cause}")]
    Http { cause: String },
}

impl HttpSink {
    /// Makes a sink that keeps the addresses of its server in `own`.
    pub fn new(endpoint: Endpoint, token: TokenSource, own: OwnAddresses) -> Result<Self, HttpError> {
        // Fails if a provider is installed already, which is the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let port = endpoint.url.port_or_known_default().unwrap_or_default();
        if let Some(address) = literal(&endpoint.url) {
            own.set(vec![SocketAddr::new(address, port)]);
        }
        let resolver = Resolver { port, private_only: endpoint.private_only, own };
        let plain = endpoint.url.scheme() == "http";
        let builder = Client::builder()
            .user_agent(concat!("xdp-streamer/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Arc::new(resolver))
            .timeout(TIMEOUT)
            .connect_timeout(TIMEOUT)
            .pool_max_idle_per_host(1)
            // A redirect could send the token elsewhere. A proxy would hide which traffic is our own.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        // A system without certificates can still use plain HTTP.
        let builder = if plain { builder.tls_certs_only([]) } else { builder };
        let client = builder.build().map_err(|error| {
            let cause = root_cause(&error);
            if plain { HttpError::Http { cause } } else { HttpError::Https { cause } }
        })?;
        Ok(Self { client, endpoint, token })
    }

    pub(super) async fn push(&mut self, batch: &Batch) -> Outcome {
        let mut request = self
            .client
            .post(self.endpoint.url.clone())
            .header(CONTENT_TYPE, "text/plain; charset=utf-8")
            .body(batch.body.clone());
        if let Some(token) = self.token.current().await {
            let scheme = match self.endpoint.target {
                Target::Grafana => "Bearer",
                Target::Influx => "Token",
            };
            if let Ok(mut header) = HeaderValue::from_str(&format!("{scheme} {}", token.expose())) {
                header.set_sensitive(true);
                request = request.header(AUTHORIZATION, header);
            }
        }
        match request.send().await {
            Ok(response) => {
                let answer = Answer::read(response).await;
                let outcome = Asked { endpoint: &self.endpoint, token: self.token.last() }.judge(&answer);
                if matches!(outcome, Outcome::Unauthorised(_)) {
                    self.token.distrust();
                }
                outcome
            }
            Err(error) => {
                Outcome::Unavailable { reason: root_cause(&error.without_url()), retry_after: None }
            }
        }
    }
}

impl fmt::Display for HttpSink {
    /// Writes the URL without its query, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.endpoint.url.clone();
        url.set_query(None);
        write!(f, "`{url}`")
    }
}

/// Returns the innermost error: "connection refused" says more than "error sending request".
fn root_cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", TIMEOUT.as_secs());
    }
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
