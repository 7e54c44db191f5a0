//! An HTTP/1.1 server over TLS in front of the board, as far as bmcd is one.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use sha2::{Digest, Sha256};

use crate::board::{Board, Reply, Request};
use crate::course::Upload;
use crate::network::{Network, listen};

pub(crate) const ADDRESS: &str = "172.16.10.220";

type Stream = BufReader<StreamOwned<ServerConnection, TcpStream>>;

/// A self-signed certificate like that of a board, and its key.
#[derive(Clone)]
pub(crate) struct Certificate {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) key: Arc<PrivateKeyDer<'static>>,
}

impl Certificate {
    pub(crate) fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["turing-pi".to_owned()]).expect("a certificate");
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        Self { certificate: made.cert.der().clone(), key: Arc::new(key.into()) }
    }
}

/// A board whose BMC listens until the test's process ends.
#[derive(Clone)]
pub(crate) struct Bmc(Arc<Mutex<Board>>);

impl Bmc {
    pub(crate) fn start(network: &Network, certificate: &Certificate, board: Board) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.certificate.clone()], certificate.key.clone_key())
            .expect("a certificate");
        let bmc = Self(Arc::new(Mutex::new(board)));
        let (server, namespace, config) = (bmc.clone(), network.namespace(), Arc::new(config));
        thread::spawn(move || server.serve(&namespace, &config));
        bmc
    }

    pub(crate) fn board(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the board is in a state.
    pub(crate) fn wait_until(&self, what: &str, is_so: impl Fn(&Board) -> bool) {
        let began = Instant::now();
        while !is_so(&self.board()) {
            assert!(began.elapsed() < Duration::from_mins(2), "{what} did not happen");
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn is_away(&self) -> bool {
        self.board().away.is_some_and(|until| Instant::now() < until)
    }

    fn serve(&self, namespace: &File, config: &Arc<ServerConfig>) {
        loop {
            let listener = listen(namespace, (ADDRESS, 443));
            listener.set_nonblocking(true).expect("nonblocking");
            while !self.is_away() {
                match listener.accept() {
                    Ok((connection, _)) => {
                        connection.set_nonblocking(false).expect("blocking");
                        let (server, config) = (self.clone(), config.clone());
                        thread::spawn(move || server.converse(connection, config));
                    }
                    Err(_) => thread::sleep(Duration::from_millis(5)),
                }
            }
            drop(listener);
            while self.is_away() {
                thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// Waits while the BMC is mute.
    fn stay_mute(&self) {
        let is_mute = self.board().is_mute;
        if is_mute {
            self.board().ignored += 1;
        }
        while self.board().is_mute {
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until no upload holds the lock. Returns whether the client is still there.
    fn wait_for_lock(&self, stream: &Stream) -> bool {
        let has_waited = self.board().is_locked;
        while self.board().is_locked {
            thread::sleep(Duration::from_millis(10));
        }
        !has_waited || !is_closed(stream)
    }

    fn converse(&self, connection: TcpStream, config: Arc<ServerConfig>) {
        self.board().connections += 1;
        self.stay_mute();
        let tls = ServerConnection::new(config).expect("TLS");
        let mut stream = BufReader::with_capacity(64 * 1024, StreamOwned::new(tls, connection));
        while let Some((request, length, boundary)) = head(&mut stream) {
            self.stay_mute();
            let goes_on = if self.is_away() {
                false
            } else if let (Some(handle), Some(boundary)) = (handle(&request), boundary) {
                self.upload(&mut stream, &request, handle, &boundary)
            } else {
                let mut body = vec![0; length];
                stream.read_exact(&mut body).is_ok() && self.wait_for_lock(&stream) && {
                    let reply = self.board().answer(&Request { body, ..request });
                    reply_with(&mut stream, &reply)
                }
            };
            if !goes_on {
                return;
            }
        }
    }

    /// Reads the first field of a form, as bmcd does, as far as it comes. Returns whether the connection can be reused.
    fn upload(&self, stream: &mut Stream, request: &Request, handle: u32, boundary: &str) -> bool {
        let begun = self.board().begin_upload(request, handle);
        let plan = match begun {
            Ok(plan) => plan,
            Err(reply) => {
                reply_with(stream, &reply);
                leave_open();
            }
        };
        let header = lines(stream);
        assert!(header[0].starts_with(&format!("--{boundary}")), "{header:?}");
        let mut hash = Sha256::new();
        let mut left = plan.length;
        let mut chunk = vec![0; 64 * 1024];
        let mut has_paused = false;
        while left > 0 {
            let taken = plan.length - left;
            match plan.upload {
                Upload::Reset(after) if taken >= after => {
                    self.board().fail_upload();
                    return false;
                }
                Upload::Crash(after, away) if taken >= after => {
                    self.board().restart(away);
                    return false;
                }
                Upload::Refuses(after, text) if taken >= after => {
                    self.board().fail_upload();
                    reply_with(stream, &Reply::Text(500, text.to_owned()));
                    leave_open();
                }
                Upload::Pauses(after, time) if taken >= after && !has_paused => {
                    has_paused = true;
                    thread::sleep(time);
                }
                Upload::Stalls(after) if taken >= after && !has_paused => {
                    has_paused = true;
                    let before = self.board().connections;
                    while self.board().connections == before {
                        thread::sleep(Duration::from_millis(10));
                    }
                }
                _ => {}
            }
            let want = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if stream.read_exact(&mut chunk[..want]).is_err() {
                self.board().break_upload();
                return false;
            }
            hash.update(&chunk[..want]);
            left -= want as u64;
            let mut board = self.board();
            board.received += want as u64;
            if let Some(word) = board.watches_for {
                board.has_seen |= chunk[..want].windows(word.len()).any(|window| window == word.as_bytes());
            }
        }
        let end = lines(stream);
        assert_eq!(end, ["", &format!("--{boundary}--")], "nothing follows what was announced");
        while self.board().holds {
            if is_closed(stream) {
                self.board().break_upload();
                return false;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let reply = self.board().end_upload(&data_encoding::HEXLOWER.encode(&hash.finalize()));
        reply_with(stream, &reply)
    }
}

/// Keeps a connection open without reading from it, as bmcd does after an early answer.
fn leave_open() -> ! {
    loop {
        thread::sleep(Duration::from_hours(1));
    }
}

/// Returns whether the client has closed the connection. It sends nothing before it has an answer.
fn is_closed(stream: &Stream) -> bool {
    let socket = &stream.get_ref().sock;
    socket.set_nonblocking(true).expect("nonblocking");
    let peeked = socket.peek(&mut [0]);
    socket.set_nonblocking(false).expect("blocking");
    !matches!(peeked, Err(error) if error.kind() == ErrorKind::WouldBlock)
}

/// Returns the handle in the path of an upload.
fn handle(request: &Request) -> Option<u32> {
    request.path.strip_prefix("/api/bmc/upload/")?.parse().ok()
}

/// Reads lines up to an empty one. Of the two lines after a form's field the first is empty.
fn lines(stream: &mut Stream) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).unwrap_or_default() == 0 {
            return lines;
        }
        let line = line.trim_end_matches(['\r', '\n']).to_owned();
        let is_end = (line.is_empty() && !lines.is_empty()) || line.ends_with("--");
        if !(is_end && line.is_empty()) {
            lines.push(line);
        }
        if is_end {
            return lines;
        }
    }
}

/// Reads the head of the next request, and returns it with the length of its body and the boundary of its form.
fn head(stream: &mut Stream) -> Option<(Request, usize, Option<String>)> {
    let lines = lines(stream);
    let mut words = lines.first()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (path, query_text) = target.split_once('?').unwrap_or((&target, ""));
    let pairs = url::form_urlencoded::parse(query_text.as_bytes());
    let query = pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    let header = |name: &str| {
        lines.iter().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let length = header("content-length").and_then(|text| text.parse().ok()).unwrap_or_default();
    let boundary = header("content-type").and_then(|text| Some(text.split_once("boundary=")?.1.to_owned()));
    let request = Request {
        method,
        path: path.to_owned(),
        query,
        query_text: query_text.to_owned(),
        authorization: header("authorization"),
        body: Vec::new(),
    };
    Some((request, length, boundary))
}

/// Sends a reply. Returns whether the connection can be reused.
fn reply_with(stream: &mut Stream, reply: &Reply) -> bool {
    let (status, kind, body) = match reply {
        Reply::Json(status, value) => (*status, "application/json", value.to_string()),
        Reply::Text(status, text) => (*status, "text/plain; charset=utf-8", text.clone()),
        Reply::Empty => (200, "text/plain", String::new()),
        Reply::Drop => return false,
    };
    let length = body.len();
    let head = format!("HTTP/1.1 {status} -\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n");
    let stream = stream.get_mut();
    let written = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
    written.and_then(|()| stream.flush()).is_ok()
}
