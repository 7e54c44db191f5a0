//! The server that the streamer pushes to, in place of Grafana: it accepts everything and keeps the lines.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Requests are small; a longer one is not the streamer's.
const LONGEST: u64 = 16 << 20;

#[derive(Clone, Default)]
pub(crate) struct Received(Arc<Mutex<Vec<String>>>);

impl Received {
    /// Returns the lines of all requests: of the head, then of the body.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().expect("a lock").clone()
    }
}

/// Starts the server and returns its port on loopback.
pub(crate) fn start() -> (u16, Received) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let port = listener.local_addr().expect("an address").port();
    let received = Received::default();
    let kept = received.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let kept = kept.clone();
            thread::spawn(move || serve(&stream, &kept));
        }
    });
    (port, received)
}

/// Answers the requests of a connection.
fn serve(stream: &TcpStream, kept: &Received) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut length, mut lines) = (0, Vec::new());
        loop {
            let mut line = String::new();
            if reader.by_ref().take(LONGEST).read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            lines.push(line.to_owned());
        }
        let mut body = Vec::new();
        reader.by_ref().take(length).read_to_end(&mut body).ok()?;
        lines.extend(String::from_utf8_lossy(&body).lines().map(str::to_owned));
        kept.0.lock().ok()?.extend(lines);
        let mut stream = stream;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").ok()?;
    }
}
