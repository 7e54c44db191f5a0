//! The upload: a thread reads the image, the connection takes the bytes, and a clock watches that they move.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use reqwest::Body;
use sha2::{Digest, Sha256};
use tokio::runtime::Handle as Runtime;
use tokio::select;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, interval};

use super::payload::{CHUNK, Counted, Payload, ReadProgress};
use super::steps::Reply;
use crate::provision::bmc::{Bmc, Handle};

/// The number of chunks between the thread and the connection.
const QUEUE: usize = 4;
const TICK: Duration = Duration::from_millis(100);

/// Sends the whole stream. `sent` is called now and then with the number of bytes that the connection has taken.
///
/// The BMC may answer before it has read everything, and then neither reads on nor closes the connection. Its answer
/// therefore ends the upload at once.
pub(super) async fn upload(
    bmc: &Bmc,
    handle: Handle,
    file: &str,
    payload: &Payload,
    stall: Duration,
    sent: &mut dyn FnMut(u64),
) -> Reply {
    let (sender, body) = Channel::new(QUEUE);
    let feeder = Feeder::start(payload, sender);
    let request = bmc.upload(handle, file, payload.length, Body::wrap(body));
    tokio::pin!(request);
    let mut tick = interval(TICK);
    let mut before = [0, 0];
    let mut moved = Instant::now();
    let answered = loop {
        select! {
            answer = &mut request => break answer,
            _ = tick.tick() => {}
        }
        // While a slow image is being read, the BMC is not to blame.
        let bytes = [feeder.read.bytes(), feeder.taken.bytes()];
        if bytes != before {
            (before, moved) = (bytes, Instant::now());
            sent(feeder.taken.bytes());
        }
        if moved.elapsed() >= stall {
            return Reply::UploadStalled(stall);
        }
    };
    match answered {
        Ok(()) => {
            sent(payload.length);
            Reply::Accepted
        }
        // If the image could not be read, that is why the connection broke.
        Err(error) => match feeder.end().await {
            Some(source) => Reply::ImageUnreadable(source),
            None => Reply::Failed(error),
        },
    }
}

/// The thread that reads the image for the connection. It ends when this is dropped.
struct Feeder {
    /// The bytes that were read from the image.
    read: ReadProgress,
    /// The bytes that the connection has taken.
    taken: ReadProgress,
    stop: Arc<Notify>,
    thread: JoinHandle<io::Result<()>>,
}

impl Feeder {
    fn start(payload: &Payload, mut sender: Sender<Bytes, io::Error>) -> Self {
        let (read, taken) = (ReadProgress::default(), ReadProgress::default());
        let stop = Arc::new(Notify::new());
        let thread = {
            let (payload, stop, runtime) = (payload.clone(), stop.clone(), Runtime::current());
            let progress = [read.clone(), taken.clone()];
            spawn_blocking(move || {
                let fed = feed(&payload, &mut sender, &progress, &stop, &runtime);
                if !matches!(fed, Ok(Fed::Completely)) {
                    // Breaks the connection: the BMC must not take a part of the image for all of it.
                    sender.abort(io::Error::from(io::ErrorKind::Interrupted));
                }
                fed.map(drop)
            })
        };
        Self { read, taken, stop, thread }
    }

    /// Stops the thread and returns the error of the image, if there was one.
    async fn end(mut self) -> Option<io::Error> {
        // A permit is stored, so it does not matter where the thread is just now.
        self.stop.notify_one();
        match (&mut self.thread).await {
            Ok(result) => result.err(),
            Err(error) => Some(io::Error::other(error)),
        }
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        self.stop.notify_one();
    }
}

enum Fed {
    Completely,
    /// The connection takes no more, or the thread was told to stop.
    Partly,
}

/// Gives the connection exactly as many bytes as were announced. The error is one of the image.
fn feed(
    payload: &Payload,
    sender: &mut Sender<Bytes, io::Error>,
    [read, taken]: &[ReadProgress; 2],
    stop: &Notify,
    runtime: &Runtime,
) -> io::Result<Fed> {
    let mut stream = Counted::new(payload.open()?, read.clone());
    let mut hash = Sha256::new();
    let mut left = payload.length;
    while left > 0 {
        let mut chunk = vec![0; CHUNK.min(usize::try_from(left).unwrap_or(CHUNK))];
        stream.read_exact(&mut chunk)?;
        hash.update(&chunk);
        let count = chunk.len();
        left -= count as u64;
        // The last chunk is kept back until the digest is known to be the announced one.
        if left == 0 && data_encoding::HEXLOWER.encode(&hash.finalize_reset()) != payload.sha256 {
            return Err(io::Error::other("the image changed after its digest was computed"));
        }
        let has_taken = runtime.block_on(async {
            select! {
                sent = sender.send_data(Bytes::from(chunk)) => sent.is_ok(),
                () = stop.notified() => false,
            }
        });
        if !has_taken {
            return Ok(Fed::Partly);
        }
        taken.add(count);
    }
    Ok(Fed::Completely)
}
