use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::multipart::{Form, Part};
use reqwest::{Body, Client, RequestBuilder, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::envelope::Envelope;
use super::{About, BmcError, Credentials, Handle, Info, Power, Slot, StartRequest, Transfer, Usb};
use crate::certificate::{Fingerprint, Trust, Verifier};
use crate::printable::Line;

const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// For anything but an upload: the BMC is slow while it writes, and switching power takes it a second or two.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// Bytes of an answer. None of those that are asked for here is larger.
const BODY_LIMIT: usize = 64 * 1024;

/// A BMC whose certificate is known.
#[derive(Debug)]
pub struct Bmc {
    client: Client,
    /// `https://…/api/bmc`.
    url: Url,
    pinned: Fingerprint,
    verifier: Arc<Verifier>,
    token: Option<Token>,
}

/// What stands for a password for three hours after each use.
struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Token(…)")
    }
}

#[derive(Serialize)]
struct Login<'a> {
    username: &'a str,
    password: &'a str,
}

#[derive(Deserialize)]
struct Session {
    id: String,
}

#[derive(Deserialize)]
struct Started {
    handle: Handle,
}

/// The certificate that a BMC shows. Nothing is sent to it but the greeting of TLS.
pub async fn first_sight(address: IpAddr) -> Result<Fingerprint, BmcError> {
    let (client, verifier) = client(Trust::Nobody)?;
    let answer = client.get(url(address)?).send().await;
    match (verifier.refusal(), answer) {
        (Some(refusal), _) => Ok(refusal.fingerprint),
        (None, Err(error)) => Err(BmcError::of_request(error)),
        (None, Ok(answer)) => Err(BmcError::NotUnderstood { said: Line::new(answer.status().as_str()) }),
    }
}

fn client(trust: Trust) -> Result<(Client, Arc<Verifier>), BmcError> {
    let verifier = Verifier::new(trust)?;
    let tls = verifier.configuration()?;
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        .https_only(true)
        .http1_only()
        // A proxy would be shown the login, and could not reach the BMC anyway.
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_LIMIT)
        .build()
        .map_err(BmcError::Client)?;
    Ok((client, verifier))
}

fn url(address: IpAddr) -> Result<Url, BmcError> {
    let host = match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    Url::parse(&format!("https://{host}/api/bmc"))
        .map_err(|error| BmcError::NotUnderstood { said: Line::new(&error.to_string()) })
}

impl Bmc {
    /// Connects to nothing yet.
    pub fn new(address: IpAddr, pinned: Fingerprint) -> Result<Self, BmcError> {
        let (client, verifier) = client(Trust::Pinned(pinned))?;
        Ok(Self { client, url: url(address)?, pinned, verifier, token: None })
    }

    /// Logs in. To be called once for a password: five failures ban this machine, for longer each time.
    pub async fn log_in(&mut self, credentials: &Credentials) -> Result<(), BmcError> {
        let login = Login { username: &credentials.user, password: credentials.password.reveal() };
        let body = serde_json::to_vec(&login)
            .map_err(|error| BmcError::NotUnderstood { said: Line::new(&error.to_string()) })?;
        let request = self.client.post(self.below("authenticate")).header("Content-Type", "application/json");
        let answer = self.send(request.body(body).timeout(ANSWER_LIMIT)).await?;
        if matches!(answer.status, StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED) {
            return Err(BmcError::Login { user: credentials.user.clone(), said: answer.sentence() });
        }
        let session: Session = answer.parse()?;
        self.token = Some(Token(session.id));
        Ok(())
    }

    pub async fn about(&self) -> Result<About, BmcError> {
        self.ask(&[("opt", "get"), ("type", "about")]).await?.parse()
    }

    pub async fn info(&self) -> Result<Info, BmcError> {
        self.ask(&[("opt", "get"), ("type", "info")]).await?.parse()
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

    /// Starts a transfer. One that runs already is cancelled by the BMC. From now on there are 10 s to begin the upload.
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
        let started: Started = self.ask(&parameters).await?.parse()?;
        Ok(started.handle)
    }

    /// Sends the bytes of a transfer, as many as were announced. Success says that they arrived, not that they were
    /// written. There is no limit of time.
    pub async fn upload(&self, handle: Handle, file: &str, length: u64, bytes: Body) -> Result<(), BmcError> {
        let part = Part::stream_with_length(bytes, length).file_name(file.to_owned());
        let request = self.client.post(self.below(&format!("upload/{}", handle.0)));
        let request = self.authorized(request).multipart(Form::new().part("file", part));
        self.send(request).await?.accept()
    }

    /// Cancels whatever runs: the handle does not matter to the BMC.
    pub async fn cancel(&self, handle: Handle) -> Result<(), BmcError> {
        let request = self.client.get(self.below(&format!("upload/{}/cancel", handle.0)));
        self.send(self.authorized(request).timeout(ANSWER_LIMIT)).await?.accept()
    }

    fn below(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/{path}", self.url.path()));
        url
    }

    async fn ask(&self, parameters: &[(&str, &str)]) -> Result<Envelope, BmcError> {
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs(parameters);
        self.send(self.authorized(self.client.get(url)).timeout(ANSWER_LIMIT)).await
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(&token.0),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Envelope, BmcError> {
        let (client, request) = request.build_split();
        let request = request.map_err(|error| self.failed(error))?;
        // Passwords and tokens are in the body and the headers.
        log::debug!("{} {}", request.method(), request.url());
        let answer = client.execute(request).await.map_err(|error| self.failed(error))?;
        let status = answer.status();
        Ok(Envelope { status, body: read(answer).await.map_err(|error| self.failed(error))? })
    }

    fn failed(&self, error: reqwest::Error) -> BmcError {
        match self.verifier.refusal() {
            Some(refusal) => BmcError::OtherCertificate { pinned: self.pinned, found: refusal.fingerprint },
            None => BmcError::of_request(error),
        }
    }
}

/// The body, no more of it than is ever needed.
async fn read(mut answer: Response) -> Result<String, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() >= BODY_LIMIT {
            body.truncate(BODY_LIMIT);
            break;
        }
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}
