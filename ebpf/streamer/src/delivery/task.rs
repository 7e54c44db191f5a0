//! The loop that empties a queue.

use super::queue::{Next, Queue};
use super::{Backoff, SinkState};
use crate::row::Batch;
use crate::sink::{Outcome, Sink};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// How fast rows may go out.
#[derive(Debug, Clone)]
pub struct Pace {
    /// The shortest time between the starts of two pushes.
    pub interval: Duration,
    /// The most rows of one push, unless the reader itself made a larger batch.
    pub most_rows: usize,
    pub backoff: Backoff,
}

/// Refusals without any success after which the sink itself is taken to be in trouble: a batch, its halves and
/// its quarters. A single bad row is beside a good half long before.
const REFUSALS_WITHOUT_SUCCESS: usize = 7;

/// The most pushes for one batch: enough for five bad rows among a thousand.
const MOST_PUSHES: usize = 64;

/// Sends what `queue` holds to `sink` until the queue is closed and empty, or the sink is gone for good.
///
/// What the sink cannot take now is kept; the queue's bound decides for how long. What it refuses is halved until
/// the refused rows stand alone; they are dropped and counted, the others are delivered.
pub async fn deliver(queue: &Queue, sink: &mut Sink, mut pace: Pace) {
    let mut last = None;
    loop {
        let Next::Batch(batch) = queue.next(pace.most_rows).await else { return };
        // Once closed, what is left goes out without a pause.
        if let (Some(last), false) = (last, queue.is_closed()) {
            tokio::time::sleep_until(last + pace.interval).await;
        }
        last = Some(Instant::now());
        match send(queue, sink, batch).await {
            Sent::All => {
                announce(queue, sink, SinkState::Delivering, "");
                pace.backoff.reset();
            }
            Sent::Partly { refused, reason } => {
                let message = format!("{reason}; {refused} rows dropped, the others delivered");
                announce(queue, sink, SinkState::Refusing, &message);
                pace.backoff.reset();
            }
            Sent::Later { rest, state, reason } => {
                announce(queue, sink, state, &reason);
                queue.put_back(rest);
                tokio::time::sleep(pace.backoff.next_wait()).await;
            }
            Sent::Never => {
                queue.abandon();
                return;
            }
        }
    }
}

/// What became of a batch.
enum Sent {
    All,
    Partly { refused: usize, reason: String },
    Later { rest: Batch, state: SinkState, reason: String },
    Never,
}

/// Parts of a batch still to be sent, each with its place in it.
struct Parts(VecDeque<(usize, Batch)>);

impl Parts {
    fn rows(&self) -> usize {
        self.0.iter().map(|(_, part)| part.rows).sum()
    }

    /// The parts as one batch, in the rows' order.
    fn joined(self) -> Batch {
        let mut parts = Vec::from(self.0);
        parts.sort_by_key(|(place, _)| *place);
        let mut batch = Batch::default();
        for (_, part) in parts {
            batch.append(&part);
        }
        batch
    }
}

/// Sends a batch, in parts if it must: all halves before all quarters, so that a good one is met soon.
async fn send(queue: &Queue, sink: &mut Sink, batch: Batch) -> Sent {
    let mut parts = Parts(VecDeque::from([(0, batch)]));
    let mut refusals = 0;
    let mut refused = 0;
    let mut delivered = false;
    let mut last_reason = String::new();
    for _ in 0..MOST_PUSHES {
        let Some((place, part)) = parts.0.pop_front() else { break };
        let outcome = sink.push(&part).await;
        queue.record(|counts| {
            counts.pushes += 1;
            counts.failures += u64::from(!matches!(outcome, Outcome::Delivered));
        });
        match outcome {
            Outcome::Delivered => {
                queue.record(|counts| counts.delivered += part.rows as u64);
                delivered = true;
            }
            Outcome::Refused { reason, certain } => {
                refusals += 1;
                last_reason = reason;
                let alone = part.rows == 1;
                // A server in trouble refuses everything: a row is blamed only beside rows that were taken.
                if !delivered && !certain && (alone || refusals >= REFUSALS_WITHOUT_SUCCESS) {
                    parts.0.push_front((place, part));
                    return Sent::Later {
                        rest: parts.joined(),
                        state: SinkState::Unavailable,
                        reason: last_reason,
                    };
                }
                match part.halves() {
                    (first, Some(second)) => {
                        let middle = place + first.rows;
                        parts.0.extend([(place, first), (middle, second)]);
                    }
                    (row, None) => {
                        log::debug!("refused row: {}", String::from_utf8_lossy(&row.body).trim_end());
                        refused += 1;
                    }
                }
            }
            Outcome::Unavailable(reason) => {
                parts.0.push_front((place, part));
                return Sent::Later { rest: parts.joined(), state: SinkState::Unavailable, reason };
            }
            Outcome::Unauthorised(reason) => {
                parts.0.push_front((place, part));
                return Sent::Later { rest: parts.joined(), state: SinkState::Unauthorised, reason };
            }
            Outcome::Gone => return Sent::Never,
        }
    }
    refused += parts.rows();
    queue.record(|counts| counts.refused += refused as u64);
    if refused == 0 { Sent::All } else { Sent::Partly { refused, reason: last_reason } }
}

/// Says a change of state, once.
fn announce(queue: &Queue, sink: &Sink, state: SinkState, reason: &str) {
    let before = queue.set_state(state);
    if before == state {
        return;
    }
    let counts = queue.deliveries();
    match state {
        SinkState::Delivering if before == SinkState::Starting => log::info!("{sink}: rows arrive"),
        SinkState::Delivering => {
            log::info!("{sink}: rows arrive again; {} were dropped meanwhile or before", counts.dropped);
        }
        SinkState::Starting => {}
        SinkState::Refusing => log::warn!("{sink}: {reason}"),
        SinkState::Unavailable | SinkState::Unauthorised => {
            log::warn!("{sink}: {reason}; rows wait, the oldest are dropped when the buffer is full");
        }
    }
}
