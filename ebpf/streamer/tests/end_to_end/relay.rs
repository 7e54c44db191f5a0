//! A relay between the daemon and a server. It keeps what was sent, which is what the server must have.

use crate::lab::in_namespace;
use crate::line::Line;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Relay {
    /// Forwards connections to `server`, both inside `namespace`. It lives as long as the process of the test.
    pub(crate) fn start(namespace: &str, server: &'static str) -> Self {
        let listener = in_namespace(namespace, || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
        let relay = Self { address: listener.local_addr().unwrap(), sent: Arc::default() };
        let sent = Arc::clone(&relay.sent);
        let namespace = namespace.to_owned();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                // After the test, its namespace is gone.
                let Ok(client) = client else { return };
                let Ok(server) = in_namespace(&namespace, || TcpStream::connect(server)) else { return };
                let (answers, asker) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let sent = Arc::clone(&sent);
                std::thread::spawn(move || pass(client, server, |bytes| sent.lock().unwrap().extend(bytes)));
                std::thread::spawn(move || pass(answers, asker, |_| {}));
            }
        });
        relay
    }

    /// Returns the rows sent so far, in their order.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let mut sent = self.sent.lock().unwrap().clone();
        // The last line may be incomplete.
        sent.truncate(sent.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1));
        let sent = String::from_utf8(sent).unwrap();
        let measurements = ["packet_details ", "packet_rate ", "top_talkers ", "streamer "];
        let rows = sent.lines().filter(|line| measurements.iter().any(|name| line.starts_with(name)));
        rows.map(|line| Line::parse(line).unwrap()).collect()
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut seen: impl FnMut(&[u8])) {
    let mut buffer = [0; 16384];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        seen(&buffer[..length]);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
