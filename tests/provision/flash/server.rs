//! HTTP/1.1 over TLS in front of a board, as far as bmcd speaks it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
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

/// A certificate as the board makes one for itself, and its key.
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

/// A board whose BMC listens. It does so until the test's process ends.
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

    /// Waits for something to become of the board.
    pub(crate) fn wait_until(&self, what: &str, is_so: impl Fn(&Board) -> bool) {
        let began = Instant::now();
        while !is_so(&self.board()) {
            assert!(began.elapsed() < Duration::from_mins(2), "{what} has not come about");
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

    /// Does not go on while the BMC is mute.
    fn listen_silently(&self) {
        let is_mute = self.board().is_mute;
        if is_mute {
            self.board().ignored += 1;
        }
        while self.board().is_mute {
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn converse(&self, connection: TcpStream, config: Arc<ServerConfig>) {
        self.board().connections += 1;
        self.listen_silently();
        let tls = ServerConnection::new(config).expect("TLS");
        let mut stream = BufReader::with_capacity(64 * 1024, StreamOwned::new(tls, connection));
        while let Some((request, length, boundary)) = head(&mut stream) {
            self.listen_silently();
            let goes_on = if self.is_away() {
                false
            } else if let (Some(handle), Some(boundary)) = (handle(&request), boundary) {
                self.upload(&mut stream, &request, handle, &boundary)
            } else {
                let mut body = vec![0; length];
                stream.read_exact(&mut body).is_ok() && {
                    let reply = self.board().answer(&Request { body, ..request });
                    reply_with(&mut stream, &reply)
                }
            };
            if !goes_on {
                return;
            }
        }
    }

    /// Reads the first field of a form, as bmcd does, to the end or as far as it comes.
    fn upload(&self, stream: &mut Stream, request: &Request, handle: u32, boundary: &str) -> bool {
        let plan = match self.board().begin_upload(request, handle) {
            Ok(plan) => plan,
            Err(reply) => {
                reply_with(stream, &reply);
                return false;
            }
        };
        let header = lines(stream);
        assert!(header[0].starts_with(&format!("--{boundary}")), "{header:?}");
        let mut hash = Sha256::new();
        let mut left = plan.length;
        let mut chunk = vec![0; 64 * 1024];
        while left > 0 {
            let taken = plan.length - left;
            match plan.upload {
                Upload::Reset(after) if taken >= after => {
                    self.board().break_upload();
                    return false;
                }
                Upload::Refuses(after, text) if taken >= after => {
                    self.board().break_upload();
                    reply_with(stream, &Reply::Text(500, text.to_owned()));
                    return false;
                }
                Upload::Stalls(after) if taken >= after => {
                    // Until the other side has had enough.
                    let connection = &stream.get_ref().sock;
                    self.board().break_upload();
                    while connection.peek(&mut [0]).is_ok_and(|count| count > 0) {
                        thread::sleep(Duration::from_millis(50));
                        if self.board().log.iter().any(|line| line.ends_with("/cancel")) {
                            break;
                        }
                    }
                    return false;
                }
                _ => {}
            }
            let want = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if stream.read_exact(&mut chunk[..want]).is_err() {
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
            thread::sleep(Duration::from_millis(10));
        }
        let reply = self.board().end_upload(&data_encoding::HEXLOWER.encode(&hash.finalize()));
        reply_with(stream, &reply)
    }
}

/// The handle of an upload's path.
fn handle(request: &Request) -> Option<u32> {
    request.path.strip_prefix("/api/bmc/upload/")?.parse().ok()
}

/// Lines as far as an empty one; of the two after a form's field the first is empty.
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

/// The next request without its body, the length of that, and the boundary of a form.
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

/// Whether the connection can be used again.
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
