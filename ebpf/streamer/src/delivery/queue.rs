//! Rows that wait for the sink. Their number of bytes is bounded, and the oldest rows go first when it is reached.

use super::{Deliveries, SinkState};
use crate::row::Batch;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::time::Instant;

/// The queue between one reader and one sink, with the counts of its rows.
#[derive(Debug)]
pub struct Queue {
    inner: Mutex<Inner>,
    changed: Notify,
    closing: Notify,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Inner {
    /// Each but the last is so full that the next one did not fit into the same push.
    batches: VecDeque<Batch>,
    deliveries: Deliveries,
    closed: bool,
    abandoned: bool,
}

/// What the sender finds in the queue.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    Batch(Batch),
    /// The queue is closed and empty.
    End,
}

impl Queue {
    /// Makes a queue that holds at most `capacity` bytes of rows.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { inner: Mutex::default(), changed: Notify::new(), closing: Notify::new(), capacity }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the newest rows. If they do not fit, as many of the oldest rows are dropped as needed.
    pub fn push(&self, batch: Batch) {
        if batch.is_empty() {
            return;
        }
        let mut inner = self.lock();
        match inner.batches.back_mut() {
            Some(last) if last.has_room_for(&batch) => last.append(&batch),
            _ => inner.batches.push_back(batch),
        }
        inner.shrink_to(self.capacity);
        drop(inner);
        self.changed.notify_one();
    }

    /// Returns rows that could not be sent. They are the oldest again.
    pub fn put_back(&self, batch: Batch) {
        let mut inner = self.lock();
        match inner.batches.front_mut() {
            Some(first) if batch.has_room_for(first) => {
                let newer = std::mem::replace(first, batch);
                first.append(&newer);
            }
            _ => inner.batches.push_front(batch),
        }
        inner.shrink_to(self.capacity);
    }

    /// Waits for rows, and returns the oldest, at most `most` of them.
    ///
    /// Until `not_before`, it collects rows for a whole push. It returns earlier if a whole push waits, if the queue is a
    /// quarter full, or if the queue is closed.
    pub async fn next(&self, most: usize, not_before: Instant) -> Next {
        loop {
            let pause_is_over = Instant::now() >= not_before;
            if let Some(next) = self.try_next(most, pause_is_over) {
                return next;
            }
            if pause_is_over || self.is_empty() {
                self.changed.notified().await;
            } else {
                tokio::select! {
                    () = self.changed.notified() => {}
                    () = tokio::time::sleep_until(not_before) => {}
                }
            }
        }
    }

    fn try_next(&self, most: usize, pause_is_over: bool) -> Option<Next> {
        let mut inner = self.lock();
        let Some(first) = inner.batches.front() else {
            return inner.closed.then_some(Next::End);
        };
        let is_whole_push = inner.batches.len() > 1 || first.rows >= most;
        if !pause_is_over && !inner.closed && !is_whole_push && inner.bytes() < self.capacity / 4 {
            return None;
        }
        let batch = inner.batches.front_mut()?.take_rows(most);
        if inner.batches.front().is_some_and(Batch::is_empty) {
            inner.batches.pop_front();
        }
        Some(Next::Batch(batch))
    }

    fn is_empty(&self) -> bool {
        self.lock().batches.is_empty()
    }

    /// Announces that no more rows will come.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
        self.closing.notify_waiters();
    }

    /// Closes the queue and drops its rows, because nobody will ever read them.
    pub(super) fn abandon(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.abandoned = true;
        inner.shrink_to(0);
        drop(inner);
        self.changed.notify_one();
        self.closing.notify_waiters();
    }

    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Waits until the queue is closed.
    pub(super) async fn closed(&self) {
        loop {
            let closing = self.closing.notified();
            if self.is_closed() {
                return;
            }
            closing.await;
        }
    }

    /// Returns the counts, with the rows that wait now.
    #[must_use]
    pub fn deliveries(&self) -> Deliveries {
        let inner = self.lock();
        let rows: usize = inner.batches.iter().map(|batch| batch.rows).sum();
        Deliveries { waiting: rows as u64, waiting_bytes: inner.bytes() as u64, ..inner.deliveries }
    }

    /// Returns whether more than half of the capacity is in use.
    #[must_use]
    pub fn is_half_full(&self) -> bool {
        self.lock().bytes() > self.capacity / 2
    }

    /// Returns whether the sink accepted the last push.
    #[must_use]
    pub fn is_delivering(&self) -> bool {
        self.lock().deliveries.state == SinkState::Delivering
    }

    /// Returns whether the rows were dropped because nobody reads them any more.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.lock().abandoned
    }

    /// Returns how many rows a full queue has dropped so far.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.lock().deliveries.dropped
    }

    /// Records the outcome of a push, and returns the counts.
    pub(super) fn record(&self, state: SinkState, change: impl FnOnce(&mut Deliveries)) -> Deliveries {
        let mut inner = self.lock();
        inner.deliveries.state = state;
        change(&mut inner.deliveries);
        inner.deliveries
    }
}

impl Inner {
    fn bytes(&self) -> usize {
        self.batches.iter().map(|batch| batch.body.len()).sum()
    }

    /// Drops the oldest rows until the rest fits.
    fn shrink_to(&mut self, capacity: usize) {
        let mut surplus = self.bytes().saturating_sub(capacity);
        while surplus > 0 {
            let Some(oldest) = self.batches.front_mut() else { return };
            let before = oldest.body.len();
            self.deliveries.dropped += oldest.drop_bytes(surplus) as u64;
            surplus = surplus.saturating_sub(before - oldest.body.len());
            if oldest.is_empty() {
                self.batches.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::{MOST_BYTES, MOST_ROWS};

    fn batch(text: &str) -> Batch {
        Batch { body: text.as_bytes().to_vec(), rows: text.matches('\n').count() }
    }

    fn counts(queue: &Queue) -> (u64, u64, u64) {
        let Deliveries { dropped, waiting, waiting_bytes, .. } = queue.deliveries();
        (dropped, waiting, waiting_bytes)
    }

    #[test]
    fn a_full_queue_drops_its_oldest_rows_and_counts_them() {
        let queue = Queue::new(8);
        queue.push(batch("a\nb\n"));
        queue.push(batch("c\nd\n"));
        assert_eq!(counts(&queue), (0, 4, 8));
        queue.push(batch("e\n"));
        assert_eq!(counts(&queue), (1, 4, 8));
        assert_eq!(queue.try_next(10, true), Some(Next::Batch(batch("b\nc\nd\ne\n"))));
    }

    /// A batch that is larger than the queue loses its oldest rows, never all of them.
    #[test]
    fn a_new_batch_is_never_dropped_as_a_whole() {
        let queue = Queue::new(64 << 10);
        let row = format!("{}\n", "x".repeat(549));
        queue.push(batch("oldest\n"));
        queue.push(batch(&(row.repeat(5000) + "newest\n")));
        let (dropped, waiting, bytes) = counts(&queue);
        assert_eq!(dropped + waiting, 5002);
        assert!((115..=121).contains(&waiting) && bytes <= 64 << 10, "{waiting} rows, {bytes} bytes");
        let mut last = Batch::default();
        while let Some(Next::Batch(next)) = queue.try_next(100, true) {
            last = next;
        }
        assert!(last.body.ends_with(b"newest\n"));
    }

    /// Whatever arrives between two pushes, no push is larger than its bounds.
    #[test]
    fn pushes_are_bounded_by_rows_and_bytes() {
        let queue = Queue::new(64 << 20);
        for length in [1, 500, 700_000, 10, 900] {
            for _ in 0..3000_usize.min(30_000_000 / length) {
                queue.push(batch(&format!("{}\n", "x".repeat(length))));
            }
        }
        while let Some(Next::Batch(next)) = queue.try_next(MOST_ROWS, true) {
            assert!(next.rows <= MOST_ROWS && next.body.len() <= MOST_BYTES, "{} rows", next.rows);
        }
    }

    #[test]
    fn the_pause_ends_when_a_whole_push_or_a_quarter_of_the_buffer_waits() {
        let queue = Queue::new(1000);
        queue.push(batch("a\nb\n"));
        assert_eq!(queue.try_next(3, false), None);
        queue.push(batch("c\n"));
        assert_eq!(queue.try_next(3, false), Some(Next::Batch(batch("a\nb\nc\n"))));
        let row = format!("{}\n", "x".repeat(250));
        queue.push(batch(&row));
        assert_eq!(queue.try_next(3, false), Some(Next::Batch(batch(&row))));
    }

    #[test]
    fn rows_that_are_put_back_come_first_again() {
        let queue = Queue::new(100);
        queue.push(batch("a\nb\nc\n"));
        let Some(Next::Batch(first)) = queue.try_next(2, true) else { panic!("no rows") };
        queue.put_back(first);
        assert_eq!(queue.try_next(1, true), Some(Next::Batch(batch("a\n"))));
        queue.close();
        assert_eq!(queue.try_next(9, false), Some(Next::Batch(batch("b\nc\n"))));
        assert_eq!(queue.try_next(1, true), Some(Next::End));
    }
}
