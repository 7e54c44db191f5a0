//! The loop that empties a queue.

use super::log::SinkLog;
use super::queue::{Next, Queue};
use super::{Backoff, SinkState};
use crate::clock;
use crate::row::{Batch, MOST_ROWS};
use crate::sink::{Outcome, Sink};
use std::time::Duration;
use tokio::time::Instant;

/// How fast rows may go out.
#[derive(Debug, Clone)]
pub struct Pace {
    /// The shortest time between the starts of two pushes, unless more rows wait than one push takes.
    pub interval: Duration,
    pub backoff: Backoff,
}

/// So often a single row is refused, while the rows beside it are too, before it is dropped.
const MOST_REFUSALS: u32 = 5;

/// Sends the rows of `queue` to `sink` until the queue is closed and empty, or the sink has ended.
///
/// Rows that the sink cannot accept now stay in the queue, whose bound decides for how long. Rows that it refuses for
/// certain are dropped and counted. Grafana's refusals are not certain: it gives the same answer for a row that it
/// cannot parse and for troubles of its own. Then pushes become smaller until a single row is refused. That row is
/// dropped and counted if the sink accepts the next one. If not, the sink itself is taken to be in trouble, and both wait.
pub async fn deliver(queue: &Queue, sink: &mut Sink, pace: Pace) {
    let mut sender = Sender {
        queue,
        log: SinkLog::default(),
        limit: MOST_ROWS,
        most: MOST_ROWS,
        too_large: None,
        suspect: None,
        refusals: 0,
        backoff: pace.backoff,
    };
    let mut not_before = Instant::now();
    loop {
        let batch = match queue.next(sender.limit, not_before).await {
            Next::Batch(batch) => batch,
            Next::End => {
                if let Some(suspect) = sender.suspect.take() {
                    sender.refuse(sink, &suspect, "refused");
                }
                return;
            }
        };
        not_before = Instant::now() + pace.interval;
        let is_last_try = queue.is_closed();
        let outcome = sink.push(&batch).await;
        match sender.judge(sink, batch, outcome) {
            Verdict::GoOn => {}
            Verdict::Wait(wait) if is_last_try => tokio::time::sleep(wait).await,
            Verdict::Wait(wait) => tokio::select! {
                () = tokio::time::sleep(wait) => {}
                // The rows get a last chance before the end.
                () = queue.closed() => {}
            },
            Verdict::End => return queue.abandon(),
        }
    }
}

/// What to do after a push.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    GoOn,
    Wait(Duration),
    End,
}

struct Sender<'a> {
    queue: &'a Queue,
    log: SinkLog,
    /// The most rows of the next push.
    limit: usize,
    /// The most rows that the sink accepts at once, as far as is known.
    most: usize,
    /// What the sink answered to a push that was too large. It is logged when a smaller push is accepted.
    too_large: Option<String>,
    /// A single row that was refused. The push after it shows whether the row or the sink is the reason.
    suspect: Option<Batch>,
    /// How often the oldest row was refused alone.
    refusals: u32,
    backoff: Backoff,
}

impl Sender<'_> {
    fn judge(&mut self, sink: &Sink, batch: Batch, outcome: Outcome) -> Verdict {
        self.queue.record(self.queue.deliveries().state, |counts| {
            counts.pushes += 1;
            counts.failures += u64::from(!matches!(outcome, Outcome::Delivered));
        });
        match outcome {
            Outcome::Delivered => {
                self.limit = (self.limit * 2).min(self.most);
                self.refusals = 0;
                self.backoff.reset();
                let now = u64::try_from(clock::unix_now() / 1_000_000_000).unwrap_or_default();
                self.note(sink, SinkState::Delivering, "", |counts| {
                    counts.delivered += batch.rows as u64;
                    counts.last_success = now;
                });
                if let Some(reason) = self.too_large.take() {
                    log::info!("{sink}: {reason}; pushes have at most {} rows from now on", self.most);
                }
                if let Some(suspect) = self.suspect.take() {
                    self.refuse(sink, &suspect, "a row was refused alone");
                }
                Verdict::GoOn
            }
            Outcome::TooLarge(reason) if batch.rows > 1 => {
                self.most = batch.rows / 2;
                self.limit = self.most;
                self.queue.put_back(batch);
                self.too_large = Some(reason);
                Verdict::GoOn
            }
            Outcome::Refused { reason, certain: true } => {
                self.refuse(sink, &batch, &reason);
                Verdict::GoOn
            }
            Outcome::Refused { .. } if batch.rows > 1 => {
                self.limit = batch.rows / 2;
                self.queue.put_back(batch);
                Verdict::GoOn
            }
            Outcome::Refused { reason, .. } | Outcome::TooLarge(reason) => {
                self.limit = 1;
                let Some(suspect) = self.suspect.take() else {
                    self.suspect = Some(batch);
                    return Verdict::GoOn;
                };
                self.queue.put_back(batch);
                self.refusals += 1;
                if self.refusals > MOST_REFUSALS {
                    self.refusals = 0;
                    self.refuse(sink, &suspect, &reason);
                } else {
                    self.queue.put_back(suspect);
                    self.note(sink, SinkState::Unavailable, &reason, |_| {});
                }
                Verdict::Wait(self.backoff.next_wait())
            }
            Outcome::Unavailable { reason, retry_after } => {
                self.put_back(batch);
                self.note(sink, SinkState::Unavailable, &reason, |_| {});
                Verdict::Wait(self.backoff.next_wait().max(retry_after.unwrap_or_default()))
            }
            Outcome::Unauthorised(reason) => {
                self.put_back(batch);
                self.note(sink, SinkState::Unauthorised, &reason, |_| {});
                Verdict::Wait(self.backoff.next_wait())
            }
            Outcome::Gone => Verdict::End,
        }
    }

    fn put_back(&mut self, batch: Batch) {
        self.queue.put_back(batch);
        if let Some(suspect) = self.suspect.take() {
            self.queue.put_back(suspect);
        }
    }

    /// Drops rows that the sink refused.
    fn refuse(&mut self, sink: &Sink, batch: &Batch, reason: &str) {
        log::debug!("refused rows: {}", String::from_utf8_lossy(&batch.body).trim_end());
        self.note(sink, SinkState::Refusing, reason, |counts| counts.refused += batch.rows as u64);
    }

    fn note(
        &mut self,
        sink: &Sink,
        state: SinkState,
        reason: &str,
        change: impl FnOnce(&mut super::Deliveries),
    ) {
        let counts = self.queue.record(state, change);
        let Some(line) = self.log.note(Instant::now().into_std(), &counts, reason) else { return };
        match state {
            SinkState::Starting | SinkState::Delivering => log::info!("{sink}: {line}"),
            SinkState::Unavailable | SinkState::Unauthorised | SinkState::Refusing => {
                log::warn!("{sink}: {line}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::Stdout;

    /// Delivers rows to a sink that refuses every push with one of the rows in `bad`, and returns what it accepted.
    fn deliver_beside(
        bad: &[usize],
        rows: usize,
        most_pushes: usize,
    ) -> (Vec<usize>, super::super::Deliveries) {
        let queue = Queue::new(1 << 20);
        for row in 0..rows {
            queue.push(Batch { body: format!("{row}\n").into_bytes(), rows: 1 });
        }
        queue.close();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut accepted = Vec::new();
        runtime.block_on(async {
            let sink = Sink::Stdout(Stdout::default());
            let mut sender = Sender {
                queue: &queue,
                log: SinkLog::default(),
                limit: MOST_ROWS,
                most: MOST_ROWS,
                too_large: None,
                suspect: None,
                refusals: 0,
                backoff: Backoff::new(Duration::from_millis(1), Duration::from_millis(1)),
            };
            for _ in 0..most_pushes {
                let Next::Batch(batch) = queue.next(sender.limit, Instant::now()).await else { break };
                let numbers: Vec<usize> =
                    String::from_utf8_lossy(&batch.body).lines().map(|row| row.parse().unwrap()).collect();
                let outcome = if numbers.iter().any(|number| bad.contains(number)) {
                    Outcome::Refused { reason: "500".into(), certain: false }
                } else {
                    accepted.extend(&numbers);
                    Outcome::Delivered
                };
                sender.judge(&sink, batch, outcome);
            }
        });
        (accepted, queue.deliveries())
    }

    #[test]
    fn a_bad_row_costs_itself_alone_wherever_it_is() {
        for bad in [&[][..], &[0], &[1], &[499], &[998], &[3, 700], &[0, 2, 4, 6, 900]] {
            let (accepted, counts) = deliver_beside(bad, 1000, 400);
            let good: Vec<usize> = (0..1000).filter(|row| !bad.contains(row)).collect();
            assert_eq!(accepted, good, "{bad:?}");
            assert_eq!((counts.refused, counts.waiting), (bad.len() as u64, 0), "{bad:?}");
            assert!(counts.pushes < 25 + 30 * bad.len() as u64, "{bad:?}: {} pushes", counts.pushes);
        }
    }

    #[test]
    fn a_sink_that_refuses_everything_costs_no_row_at_first() {
        let all: Vec<usize> = (0..1000).collect();
        let (accepted, counts) = deliver_beside(&all, 1000, 11 + 2 * 4);
        assert_eq!((accepted.len(), counts.refused, counts.waiting), (0, 0, 1000));
        assert_eq!(counts.state, SinkState::Unavailable);
    }
}
