//! The upload itself: a thread reads, the connection takes, and a clock watches that it goes on.

use std::io::{self, Read};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use reqwest::Body;
use tokio::runtime::Handle as Runtime;
use tokio::select;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, interval};

use super::payload::{CHUNK, Counted, Pass, Payload};
use super::steps::Answer;
use crate::provision::bmc::{Bmc, Handle};

/// Chunks between the thread and the connection.
const QUEUE: usize = 4;
const TICK: Duration = Duration::from_millis(100);

/// Sends the whole stream. `sent` is told now and then how many bytes the connection has taken.
pub(super) async fn upload(
    bmc: &Bmc,
    handle: Handle,
    file: &str,
    payload: &Payload,
    stall: Duration,
    sent: &mut dyn FnMut(u64),
) -> Answer {
    let (read, taken) = (Pass::default(), Pass::default());
    let (sender, body) = Channel::new(QUEUE);
    let feeder = {
        let (payload, read, taken, runtime) =
            (payload.clone(), read.clone(), taken.clone(), Runtime::current());
        spawn_blocking(move || feed(&payload, sender, [&read, &taken], &runtime))
    };
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
        // A slow image is no reason to blame the BMC.
        let bytes = [read.bytes(), taken.bytes()];
        if bytes != before {
            (before, moved) = (bytes, Instant::now());
            sent(taken.bytes());
        }
        if moved.elapsed() >= stall {
            return Answer::UploadStalled(stall);
        }
    };
    match answered {
        Ok(()) => {
            sent(payload.length);
            Answer::Accepted
        }
        // Where the stream could not be read, that is why the connection broke off.
        Err(error) => match feeder.await {
            Ok(Err(source)) => Answer::Source(source),
            _ => Answer::Refused(error),
        },
    }
}

/// Gives the connection exactly as many bytes as were announced. The error is one of the stream.
fn feed(
    payload: &Payload,
    mut sender: Sender<Bytes, io::Error>,
    passes: [&Pass; 2],
    runtime: &Runtime,
) -> io::Result<()> {
    feed_all(payload, &mut sender, passes, runtime).inspect_err(|error| {
        // The connection is broken off: the BMC must not take a part for the whole.
        sender.abort(io::Error::from(error.kind()));
    })
}

fn feed_all(
    payload: &Payload,
    sender: &mut Sender<Bytes, io::Error>,
    [read, taken]: [&Pass; 2],
    runtime: &Runtime,
) -> io::Result<()> {
    let mut stream = Counted::new(payload.open()?, read.clone());
    let mut left = payload.length;
    while left > 0 {
        let mut chunk = vec![0; CHUNK.min(usize::try_from(left).unwrap_or(CHUNK))];
        stream.read_exact(&mut chunk)?;
        let count = chunk.len();
        if runtime.block_on(sender.send_data(Bytes::from(chunk))).is_err() {
            // Nobody listens any more: why is known to the connection.
            return Ok(());
        }
        taken.add(count);
        left -= count as u64;
    }
    Ok(())
}
