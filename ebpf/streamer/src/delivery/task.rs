//! The loop that empties a queue.

use super::parts::Parts;
use super::queue::{Next, Queue};
use super::{Backoff, SinkState};
use crate::row::Batch;
use crate::sink::{Outcome, Sink};
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

/// The most refusals for one batch: enough for five bad rows among a thousand.
const MOST_REFUSALS: usize = 48;

/// Sends what `queue` holds to `sink` until the queue is closed and empty, or the sink is gone for good.
///
/// What the sink cannot take now is kept; the queue's bound decides for how long. What it refuses is halved until
/// the refused rows stand alone; they are dropped and counted, the others are delivered. What is too large for it is
/// halved too, and so is all that comes later.
pub async fn deliver(queue: &Queue, sink: &mut Sink, mut pace: Pace) {
    let mut last = None;
    let mut limit = Limit { rows: usize::MAX, reason: String::new() };
    loop {
        let Next::Batch(batch) = queue.next(pace.most_rows).await else { return };
        // Once closed, what is left goes out without a pause.
        if let (Some(last), false) = (last, queue.is_closed()) {
            tokio::time::sleep_until(last + pace.interval).await;
        }
        last = Some(Instant::now());
        let limit_before = limit.rows;
        let sent = send(queue, sink, batch, &mut limit).await;
        if limit.rows < limit_before {
            log::info!("{sink}: {}; it gets at most {} rows at once", limit.reason, limit.rows);
        }
        match sent {
            Sent::All => {
                announce(queue, sink, SinkState::Delivering, "");
                pace.backoff.reset();
            }
            Sent::Partly { refused, delivered, reason } => {
                let others = if delivered { ", the others delivered" } else { "" };
                let message = format!("{reason}; {refused} rows dropped{others}");
                announce(queue, sink, SinkState::Refusing, &message);
                pace.backoff.reset();
            }
            Sent::Later { rest, delivered, state, reason } => {
                if delivered {
                    pace.backoff.reset();
                }
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
    Partly { refused: usize, delivered: bool, reason: String },
    Later { rest: Batch, delivered: bool, state: SinkState, reason: String },
    Never,
}

/// The most rows that the sink was found to take at once.
struct Limit {
    rows: usize,
    /// What it said of more.
    reason: String,
}

/// Sends a batch, in parts if it must: all halves before all quarters, so that a good one is met soon.
async fn send(queue: &Queue, sink: &mut Sink, batch: Batch, limit: &mut Limit) -> Sent {
    let mut parts = Parts::of(batch);
    let mut refusals = 0;
    let mut refused = 0;
    let mut delivered = false;
    let mut last_reason = String::new();
    while refusals < MOST_REFUSALS {
        let Some((place, part)) = parts.next(limit.rows) else { break };
        let outcome = sink.push(&part).await;
        queue.record(|counts| {
            counts.pushes += 1;
            counts.failures += u64::from(!matches!(outcome, Outcome::Delivered));
        });
        // A single row cannot be halved: it is as good as refused.
        let outcome = match outcome {
            Outcome::TooLarge(reason) if part.rows == 1 => Outcome::Refused { reason, certain: false },
            outcome => outcome,
        };
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
                    parts.put_back(place, part);
                    return Sent::Later {
                        rest: parts.joined(),
                        delivered,
                        state: SinkState::Unavailable,
                        reason: last_reason,
                    };
                }
                if let Some(row) = parts.put_off_halves(place, part) {
                    log::debug!("refused row: {}", String::from_utf8_lossy(&row.body).trim_end());
                    queue.record(|counts| counts.refused += 1);
                    refused += 1;
                }
            }
            Outcome::TooLarge(reason) => {
                *limit = Limit { rows: part.rows / 2, reason };
                parts.put_back(place, part);
            }
            Outcome::Unavailable(reason) => {
                parts.put_back(place, part);
                return Sent::Later {
                    rest: parts.joined(),
                    delivered,
                    state: SinkState::Unavailable,
                    reason,
                };
            }
            Outcome::Unauthorised(reason) => {
                parts.put_back(place, part);
                return Sent::Later {
                    rest: parts.joined(),
                    delivered,
                    state: SinkState::Unauthorised,
                    reason,
                };
            }
            Outcome::Gone => return Sent::Never,
        }
    }
    let rest = parts.rows();
    queue.record(|counts| counts.refused += rest as u64);
    refused += rest;
    if refused == 0 { Sent::All } else { Sent::Partly { refused, delivered, reason: last_reason } }
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
