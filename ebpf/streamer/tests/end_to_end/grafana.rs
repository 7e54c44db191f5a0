//! A server that accepts rows as Grafana Live does, and that can be made to fail.
//!
//! A body is refused as a whole for one bad line (500). `u` integers and tags are refused, and so is a line whose
//! fields or types differ from the measurement's first line: Grafana would accept those and lose data.

use crate::lab::in_namespace;
use crate::line::{Line, Value};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// How the server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Accepts rows from clients with this token.
    Healthy { token: String },
    /// Answers this status to everything.
    Failing(u16),
    /// Never answers.
    Silent,
    /// Answers 429, and asks to wait this many seconds.
    Later(u64),
    /// Answers like an authentication proxy: status 200, and a page that asks for a login.
    LoginPage,
    /// Refuses a body that holds this text, as a line it cannot parse.
    Picky(String),
    /// Refuses a body of more bytes than this.
    Small(usize),
    /// The same, and answers 429 to every second request.
    Busy(usize),
}

#[derive(Debug, Default)]
struct State {
    schemas: HashMap<String, Vec<(String, char)>>,
    accepted: Vec<String>,
    refusals: Vec<String>,
    paths: Vec<String>,
    requests: usize,
    connections: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Grafana {
    pub(crate) address: SocketAddr,
    tls: Option<Arc<ServerConfig>>,
    mood: Arc<Mutex<Mood>>,
    state: Arc<Mutex<State>>,
}

impl Grafana {
    /// Starts a server inside a network namespace. It lives as long as the process of the test.
    pub(crate) fn start(namespace: &str, at: impl Into<IpAddr>, mood: Mood) -> Self {
        Self::start_with(namespace, at, mood, None)
    }

    /// Starts a server, over TLS if there is a configuration for it.
    pub(crate) fn start_with(
        namespace: &str,
        at: impl Into<IpAddr>,
        mood: Mood,
        tls: Option<Arc<ServerConfig>>,
    ) -> Self {
        let at = SocketAddr::new(at.into(), 0);
        let listener = in_namespace(namespace, || std::net::TcpListener::bind(at).unwrap());
        listener.set_nonblocking(true).unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            tls,
            mood: Arc::new(Mutex::new(mood)),
            state: Arc::default(),
        };
        let answering = server.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(answering.serve(listener));
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    pub(crate) fn set_mood(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// Returns the accepted lines of a measurement, without their times.
    pub(crate) fn rows(&self, measurement: &str) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let wanted = state.accepted.iter().filter(|line| line.starts_with(&format!("{measurement} ")));
        wanted.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
    }

    pub(crate) fn refusals(&self) -> Vec<String> {
        self.state.lock().unwrap().refusals.clone()
    }

    pub(crate) fn requests(&self) -> usize {
        self.state.lock().unwrap().requests
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.state.lock().unwrap().paths.clone()
    }

    async fn serve(self, listener: std::net::TcpListener) {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            self.state.lock().unwrap().connections += 1;
            let server = self.clone();
            tokio::spawn(async move {
                match server.tls.clone() {
                    None => server.converse(stream).await,
                    Some(tls) => {
                        // A client that refuses our certificate closes the connection.
                        if let Ok(stream) = TlsAcceptor::from(tls).accept(stream).await {
                            server.converse(stream).await;
                        }
                    }
                }
            });
        }
    }

    async fn converse(&self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let service = hyper::service::service_fn(|request| self.answer(request));
        let _ =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let path = request.uri().path().to_owned();
        let method = request.method().clone();
        let token = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        let number = {
            let mut state = self.state.lock().unwrap();
            state.requests += 1;
            state.requests
        };
        let mood = self.mood.lock().unwrap().clone();
        let retry_after = if let Mood::Later(seconds) = mood { Some(seconds) } else { None };
        let (status, text) = match mood {
            Mood::Silent => {
                tokio::time::sleep(Duration::from_hours(1)).await;
                (200, String::new())
            }
            Mood::Later(_) => (429, "later".to_owned()),
            Mood::LoginPage => (200, "<!DOCTYPE html>\n<title>Sign in</title>".to_owned()),
            Mood::Failing(status) => (status, "{\"message\":\"no\"}".to_owned()),
            Mood::Healthy { token: wanted } if token != Some(format!("Bearer {wanted}")) => {
                (401, "{\"message\":\"Unauthorized\"}".to_owned())
            }
            Mood::Picky(poison) if body.contains(&poison) => (500, "unparsable line".to_owned()),
            Mood::Small(most) | Mood::Busy(most) if body.len() > most => (413, "too large".to_owned()),
            Mood::Busy(_) if number % 2 == 0 => (429, "later".to_owned()),
            Mood::Healthy { .. } | Mood::Picky(_) | Mood::Small(_) | Mood::Busy(_) => {
                assert_eq!((method, path.starts_with("/api/live/push/")), (Method::POST, true), "{path}");
                self.take(path, &body)
            }
        };
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert("retry-after", seconds.into());
        }
        Ok(response)
    }

    fn take(&self, path: String, body: &str) -> (u16, String) {
        let mut state = self.state.lock().unwrap();
        state.paths.push(path);
        let mut schemas = state.schemas.clone();
        for line in body.lines() {
            let outcome = schema(line).and_then(|(measurement, schema)| {
                let first = schemas.entry(measurement.clone()).or_insert_with(|| schema.clone());
                if *first == schema { Ok(()) } else { Err(format!("{measurement} changed: {schema:?}")) }
            });
            if let Err(reason) = outcome {
                state.refusals.push(format!("{reason}: {line}"));
                return (500, reason);
            }
        }
        state.schemas = schemas;
        state.accepted.extend(body.lines().map(str::to_owned));
        (200, String::new())
    }
}

/// Returns the measurement with the names and kinds of its fields: `s`tring or `i`nteger.
fn schema(line: &str) -> Result<(String, Vec<(String, char)>), String> {
    let line = Line::parse(line)?;
    let kinds = line.fields.into_iter().map(|(name, value)| match value {
        Value::Text(_) => (name, 's'),
        Value::Integer(_) => (name, 'i'),
    });
    Ok((line.measurement, kinds.collect()))
}
