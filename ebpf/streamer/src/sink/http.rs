//! Rows over HTTP: Grafana Live and everything that takes `InfluxDB`'s line protocol.

use super::answer::{Asked, reason};
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

/// Posts batches to one URL.
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
         hint: install the system's CA certificates (ca-certificates), or name a file that has them in SSL_CERT_FILE"
    )]
    Https { cause: String },
    #[error("http cannot be used: {cause}")]
    Http { cause: String },
}

impl HttpSink {
    /// A sink that tells `own` which addresses it talks to.
    pub fn new(endpoint: Endpoint, token: TokenSource, own: OwnAddresses) -> Result<Self, HttpError> {
        // Fails if a provider is installed already, which is as good.
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
            // A redirect could lead the token elsewhere; a proxy would hide whose traffic is ours.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        // The system's certificates are not looked for where none is needed: it may have none.
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
        if let Some(token) = self.token.current() {
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
                let status = response.status();
                // Reading the answer to its end lets the connection be used again.
                let text = if status.is_success() {
                    let _ = response.bytes().await;
                    String::new()
                } else {
                    reason(response).await
                };
                let asked = Asked { endpoint: &self.endpoint, token: self.token.last() };
                let outcome = asked.judge(status, &text);
                if matches!(outcome, Outcome::Unauthorised(_)) {
                    self.token.distrust();
                }
                outcome
            }
            Err(error) => Outcome::Unavailable(root_cause(&error.without_url())),
        }
    }
}

impl fmt::Display for HttpSink {
    /// The URL without its query, which may hold more than an address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.endpoint.url.clone();
        url.set_query(None);
        write!(f, "`{url}`")
    }
}

/// The innermost error: "connection refused" says more than "error sending request".
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
