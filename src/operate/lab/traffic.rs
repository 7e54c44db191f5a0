//! Traffic to the gateway's address: nodes that answer, and a client behind the router that keeps connecting.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::error::LabError;
use super::namespace::within;

/// The gateway's port.
const PORT: u16 = 443;
/// The time that the client waits for an answer. Less than the second after which a lost SYN is sent again (RFC 6298),
/// so that a loss is seen.
pub(super) const PATIENCE: Duration = Duration::from_millis(400);
/// Bytes of an answer that are read: more than the longest name of a node has.
const NAME_LIMIT: u64 = 256;
/// The time between two connections of the client.
const PAUSE: Duration = Duration::from_millis(10);

/// Makes a node answer at the gateway's address with its own name.
pub(super) fn answer(namespace: &str, gateway: IpAddr) -> Result<(), LabError> {
    let listener = within(namespace, || TcpListener::bind((gateway, PORT)))?;
    let name = namespace.to_owned();
    // The thread ends with the process.
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(name.as_bytes());
        }
    });
    Ok(())
}

/// One connection, and the node that answered it.
#[derive(Debug, Clone)]
struct Question {
    asked: Instant,
    answer: Option<String>,
}

/// A client that connects again and again, each time from another port.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) gateway: IpAddr,
    questions: Arc<Mutex<Vec<Question>>>,
    is_done: Arc<AtomicBool>,
}

/// The result of the connections in a period.
#[derive(Debug)]
pub(super) struct Answers {
    pub(super) asked: usize,
    pub(super) unanswered: usize,
    /// The names of the nodes that answered, each once.
    pub(super) nodes: Vec<String>,
}

impl Client {
    pub(super) fn start(namespace: &str, gateway: IpAddr) -> Self {
        let questions = Arc::new(Mutex::new(Vec::new()));
        let is_done = Arc::new(AtomicBool::new(false));
        let client = Self { gateway, questions: Arc::clone(&questions), is_done: Arc::clone(&is_done) };
        let namespace = namespace.to_owned();
        thread::spawn(move || {
            within(&namespace, || {
                while !is_done.load(Ordering::Relaxed) {
                    let asked = Instant::now();
                    let answer = ask(gateway).ok().filter(|answer| !answer.is_empty());
                    questions.lock().unwrap_or_else(PoisonError::into_inner).push(Question { asked, answer });
                    thread::sleep(PAUSE);
                }
                Ok(())
            })
        });
        client
    }

    /// Returns the result of the connections since `since`.
    pub(super) fn answers(&self, since: Instant) -> Answers {
        let questions = self.questions.lock().unwrap_or_else(PoisonError::into_inner);
        let of_time = || questions.iter().filter(|question| question.asked >= since);
        let mut nodes: Vec<String> = of_time().filter_map(|question| question.answer.clone()).collect();
        nodes.sort();
        nodes.dedup();
        Answers {
            asked: of_time().count(),
            unanswered: of_time().filter(|question| question.answer.is_none()).count(),
            nodes,
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.is_done.store(true, Ordering::Relaxed);
    }
}

fn ask(gateway: IpAddr) -> std::io::Result<String> {
    let stream = TcpStream::connect_timeout(&SocketAddr::from((gateway, PORT)), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut name = String::new();
    stream.take(NAME_LIMIT).read_to_string(&mut name)?;
    Ok(name)
}
