//! The client of a BMC's API.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Client, RequestBuilder, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::credentials::Credentials;
use super::envelope::Envelope;
use super::error::BmcError;
use super::power::Power;
use super::slot::Slot;
use super::transfer::{Handle, StartRequest, Transfer};
use super::usb::Usb;
use crate::common::certificate::{Fingerprint, Trust, Verifier};
use crate::common::printable::Line;

const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// The time limit of a login. bmcd answers one in well under a second, unless it is receiving an image.
const LOGIN_LIMIT: Duration = Duration::from_secs(15);
/// The time limit of all other requests but uploads: the BMC is slow while it writes.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// The largest answer that is read, in bytes. The answers to the requests of this file are far smaller.
const BODY_LIMIT: usize = 64 * 1024;

/// A BMC whose certificate is pinned.
#[derive(Debug)]
pub struct Bmc {
    client: Client,
    /// `https://…/api/bmc`.
    url: Url,
    pinned: Fingerprint,
    verifier: Arc<Verifier>,
    login: Option<Login>,
}

/// A login that succeeded. The credentials are kept to log in again after bmcd has restarted.
#[derive(Debug)]
struct Login {
    token: Token,
    credentials: Credentials,
}

/// The bearer token of a login. bmcd accepts it for three hours after each use.
struct Token(Zeroizing<String>);

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Token(…)")
    }
}

#[derive(Serialize)]
struct LoginRequest<'a> {
    username: &'a str,
    password: &'a str,
}

#[derive(Deserialize)]
struct LoginAnswer {
    id: String,
}

#[derive(Deserialize)]
struct StartAnswer {
    handle: Handle,
}

/// The answer to `get about`.
#[derive(Debug, Clone, Deserialize)]
pub struct About {
    #[serde(default)]
    pub bmcd_version: Option<String>,
}

/// Returns the certificate that a BMC shows. Nothing is sent to the BMC beyond the TLS handshake.
pub async fn first_sight(address: IpAddr) -> Result<Fingerprint, BmcError> {
    let (client, verifier) = client(Trust::Nobody)?;
    let answer = client.get(url(address)?).timeout(ANSWER_LIMIT).send().await;
    match (verifier.refusal(), answer) {
        (Some(refusal), _) => Ok(refusal.fingerprint),
        (None, Err(error)) => Err(BmcError::of_request(error, ANSWER_LIMIT)),
        (None, Ok(answer)) => Err(BmcError::Unparsable { said: Line::new(answer.status().as_str()) }),
    }
}

fn client(trust: Trust) -> Result<(Client, Arc<Verifier>), BmcError> {
    let verifier = Verifier::new(trust)?;
    let tls = verifier.configuration()?;
    let builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .https_only(true)
        .http1_only()
        // A proxy would see the password, and cannot reach the BMC anyway.
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_LIMIT);
    // reqwest lets the kernel end a connection on which nothing moved for 30 s. Here `--stall` decides about uploads,
    // and all other requests have a limit of their own.
    #[cfg(target_os = "linux")]
    let builder = builder.tcp_user_timeout(None);
    Ok((builder.build().map_err(BmcError::Client)?, verifier))
}

fn url(address: IpAddr) -> Result<Url, BmcError> {
    let host = match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    Url::parse(&format!("https://{host}/api/bmc"))
        .map_err(|error| BmcError::Unparsable { said: Line::new(&error.to_string()) })
}

impl Bmc {
    /// Prepares a client. It does not connect yet.
    pub fn new(address: IpAddr, pinned: Fingerprint) -> Result<Self, BmcError> {
        let (client, verifier) = client(Trust::Pinned(pinned))?;
        Ok(Self { client, url: url(address)?, pinned, verifier, login: None })
    }

    /// Logs in. A refused password must not be tried again: five failures ban this machine, for longer each time.
    pub async fn log_in(&mut self, credentials: Credentials) -> Result<(), BmcError> {
        let request = self.client.post(self.below("authenticate")).header("Content-Type", "application/json");
        let request = request.body(login_body(&credentials)?).timeout(LOGIN_LIMIT);
        let answer = self.send(request, LOGIN_LIMIT).await?;
        if matches!(answer.status, StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED) {
            return Err(BmcError::LoginRefused { user: credentials.user, said: answer.sentence() });
        }
        // An answer that cannot be parsed may still hold a token, so it is not repeated.
        let unparsable =
            |_| BmcError::Unparsable { said: Line::new("the login was answered without a token") };
        answer.accept()?;
        let LoginAnswer { id } = serde_json::from_str(&answer.body).map_err(unparsable)?;
        self.login = Some(Login { token: Token(Zeroizing::new(id)), credentials });
        Ok(())
    }

    /// Logs in again with the credentials that were accepted before. bmcd forgets all logins when it restarts.
    pub async fn log_in_again(&mut self) -> Result<(), BmcError> {
        let login = self.login.as_ref().ok_or(BmcError::LoginExpired)?;
        self.log_in(login.credentials.clone()).await
    }

    pub async fn about(&self) -> Result<About, BmcError> {
        self.ask(&[("opt", "get"), ("type", "about")]).await?.parse()
    }

    pub async fn power(&self) -> Result<Power, BmcError> {
        let value: Value = self.ask(&[("opt", "get"), ("type", "power")]).await?.parse()?;
        Power::parse(&value)
    }

    pub async fn set_power(&self, slot: Slot, on: bool) -> Result<(), BmcError> {
        let node = format!("node{}", slot.number());
        let parameters = [("opt", "set"), ("type", "power"), (&node, if on { "1" } else { "0" })];
        self.ask(&parameters).await?.accept()
    }

    pub async fn usb(&self) -> Result<Usb, BmcError> {
        let value: Value = self.ask(&[("opt", "get"), ("type", "usb")]).await?.parse()?;
        Usb::parse(&value)
    }

    pub async fn set_usb(&self, usb: Usb) -> Result<(), BmcError> {
        let (node, mode) = (usb.slot.index().to_string(), usb.mode.to_string());
        let parameters = [("opt", "set"), ("type", "usb"), ("node", &node), ("mode", &mode)];
        self.ask(&parameters).await?.accept()
    }

    pub async fn transfer(&self) -> Result<Transfer, BmcError> {
        let value: Value = self.ask(&[("opt", "get"), ("type", "flash")]).await?.parse()?;
        Transfer::parse(&value)
    }

    /// Starts a transfer. The BMC cancels a transfer that is already running, and then waits 10 s for the upload.
    pub async fn start(&self, request: &StartRequest) -> Result<Handle, BmcError> {
        let (node, length) = (request.slot.index().to_string(), request.length.to_string());
        let parameters = [
            ("opt", "set"),
            ("type", "flash"),
            ("node", &node),
            ("file", &request.file),
            ("length", &length),
            ("sha256", &request.sha256),
        ];
        let started: StartAnswer = self.ask(&parameters).await?.parse()?;
        Ok(started.handle)
    }

    /// Sends the bytes of a transfer, exactly as many as were announced. Success means that they arrived, not that they
    /// were written. There is no time limit: the caller watches the progress.
    pub async fn upload(&self, handle: Handle, file: &str, length: u64, bytes: Body) -> Result<(), BmcError> {
        let part = Part::stream_with_length(bytes, length).file_name(file.to_owned());
        let request = self.client.post(self.below(&format!("upload/{}", handle.0)));
        let request = self.authorized(request).multipart(Form::new().part("file", part));
        self.send(request, ANSWER_LIMIT).await?.accept()
    }

    /// Cancels the transfer that is running, whatever its handle is.
    pub async fn cancel(&self, handle: Handle) -> Result<(), BmcError> {
        let request = self.client.get(self.below(&format!("upload/{}/cancel", handle.0)));
        self.send(self.authorized(request).timeout(ANSWER_LIMIT), ANSWER_LIMIT).await?.accept()
    }

    fn below(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/{path}", self.url.path()));
        url
    }

    async fn ask(&self, parameters: &[(&str, &str)]) -> Result<Envelope, BmcError> {
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs(parameters);
        self.send(self.authorized(self.client.get(url)).timeout(ANSWER_LIMIT), ANSWER_LIMIT).await
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.login {
            Some(login) => request.bearer_auth(login.token.0.as_str()),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder, limit: Duration) -> Result<Envelope, BmcError> {
        let (client, request) = request.build_split();
        let request = request.map_err(|error| self.failed(error, limit))?;
        // Passwords and tokens are in the body and the headers.
        log::debug!("{} {}", request.method(), request.url());
        let answer = client.execute(request).await.map_err(|error| self.failed(error, limit))?;
        let status = answer.status();
        Ok(Envelope { status, body: read(answer).await.map_err(|error| self.failed(error, limit))? })
    }

    fn failed(&self, error: reqwest::Error, limit: Duration) -> BmcError {
        match self.verifier.refusal() {
            Some(refusal) => BmcError::OtherCertificate { pinned: self.pinned, found: refusal.fingerprint },
            None => BmcError::of_request(error, limit),
        }
    }
}

/// The JSON of a login. It is zeroed when the request is dropped.
fn login_body(credentials: &Credentials) -> Result<Body, BmcError> {
    let login = LoginRequest { username: &credentials.user, password: credentials.password.reveal() };
    // An escaped byte takes six. A vector that grows would leave copies of the password behind.
    let capacity = 64 + 6 * (login.username.len() + login.password.len());
    let mut body = Zeroizing::new(Vec::with_capacity(capacity));
    serde_json::to_writer(&mut *body, &login)
        .map_err(|error| BmcError::Unparsable { said: Line::new(&error.to_string()) })?;
    Ok(Body::from(Bytes::from_owner(body)))
}

/// Reads a body, up to [`BODY_LIMIT`].
async fn read(mut answer: Response) -> Result<Zeroizing<String>, reqwest::Error> {
    let mut body = Zeroizing::new(Vec::with_capacity(BODY_LIMIT));
    while let Some(chunk) = answer.chunk().await? {
        let room = BODY_LIMIT - body.len();
        body.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
        if body.len() == BODY_LIMIT {
            break;
        }
    }
    Ok(Zeroizing::new(String::from_utf8_lossy(&body).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_optional() {
        let about =
            r#"{"api":"1.1","bmcd_version":"2.3.7","board_model":"","buildroot":"","hostname":"turingpi"}"#;
        let about: About = serde_json::from_str(about).expect("about");
        assert_eq!(about.bmcd_version.as_deref(), Some("2.3.7"));
        let about: About = serde_json::from_str("{}").expect("about");
        assert_eq!(about.bmcd_version, None);
    }
}
