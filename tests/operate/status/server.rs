//! A server of HTTP over TLS, as much of it as is needed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use crate::certificates::Identity;

/// What is served.
#[derive(Clone)]
pub(crate) enum Service {
    /// The answers by their paths, to those who show this `Authorization`; 401 to others. A text is served as it is.
    /// Elsewhere 404: below the paths of known kinds as Kubernetes says that there is no such object, else as it says that
    /// it does not know the kind, which is not JSON.
    Pages { authorization: Option<String>, pages: BTreeMap<String, Value>, kinds: Vec<&'static str> },
    /// The same to everybody.
    Status(u16),
    /// Nothing, for ever.
    Silence,
    /// A body that does not end.
    Endless,
}

/// Serves until the test's process ends.
pub(crate) fn serve(address: &str, identity: Option<Identity>, service: Service) {
    let listener = TcpListener::bind(address).expect("an address of the namespace");
    let tls = identity.map(|identity| {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.expect("protocol versions");
        let builder = match identity.clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority).expect("an authority");
                let provider = Arc::new(rustls::crypto::ring::default_provider());
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
                builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
            }
        };
        let config = builder.with_single_cert(vec![identity.certificate], identity.key);
        Arc::new(config.expect("certificate and key"))
    });
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, tls, service) = (stream.expect("a connection"), tls.clone(), service.clone());
            thread::spawn(move || match tls {
                None => answer(stream, &service),
                Some(config) => {
                    let connection = ServerConnection::new(config).expect("a connection");
                    answer(StreamOwned::new(connection, stream), &service);
                }
            });
        }
    });
}

/// One request a connection. A client that goes away, as one that does not trust us, is none of our business.
fn answer<Stream: Read + Write + Hangup>(stream: Stream, service: &Service) {
    let mut stream = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        match stream.read_line(&mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if line.trim().is_empty() => break,
            Ok(_) => lines.push(line.trim().to_owned()),
        }
    }
    let path = lines.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    let shown = lines.iter().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("authorization").then(|| value.to_owned())
    });
    let (status, body) = match service {
        Service::Silence => {
            thread::sleep(Duration::from_mins(10));
            return;
        }
        Service::Endless => {
            let stream = stream.get_mut();
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
            let mut result = stream.write_all(head.as_bytes());
            while result.is_ok() {
                result = stream.write_all(&[b' '; 16384]);
            }
            return;
        }
        Service::Status(status) => (*status, Value::Null),
        Service::Pages { authorization, .. } if *authorization != shown => {
            (401, failure(401, "Unauthorized"))
        }
        Service::Pages { pages, kinds, .. } => match pages.get(path) {
            Some(body) => (200, body.clone()),
            None if kinds.iter().any(|kind| path.starts_with(kind)) => (404, failure(404, "NotFound")),
            None => (404, Value::from("404 page not found\n")),
        },
    };
    let (kind, body) = match body {
        Value::String(text) => ("text/plain", text),
        json => ("application/json", json.to_string()),
    };
    let head = format!(
        "HTTP/1.1 {status} Status\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let stream = stream.get_mut();
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
    stream.hang_up();
}

/// As Kubernetes says that a request failed.
fn failure(code: u16, reason: &str) -> Value {
    serde_json::json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason })
}

/// A connection whose end is told before it is closed.
trait Hangup {
    fn hang_up(&mut self);
}

impl Hangup for TcpStream {
    fn hang_up(&mut self) {
        let _ = self.flush();
    }
}

impl Hangup for StreamOwned<ServerConnection, TcpStream> {
    fn hang_up(&mut self) {
        self.conn.send_close_notify();
        let _ = self.flush();
    }
}
