//! Batches that wait for the sink: bounded in bytes, the oldest go first when it is full.

use super::{Deliveries, SinkState};
use crate::row::Batch;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// A queue between the reader and one sink, and the count of what became of the rows.
#[derive(Debug)]
pub struct Queue {
    inner: Mutex<Inner>,
    changed: Notify,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Inner {
    batches: VecDeque<Batch>,
    deliveries: Deliveries,
    closed: bool,
}

/// What the sender finds.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    Batch(Batch),
    /// The queue is closed and empty.
    End,
}

impl Queue {
    /// A queue that holds at most `capacity` bytes of rows.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { inner: Mutex::default(), changed: Notify::new(), capacity }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the newest rows. Returns how many of the oldest had to go.
    pub fn push(&self, batch: Batch) -> u64 {
        if batch.is_empty() {
            return 0;
        }
        let mut inner = self.lock();
        let before = inner.deliveries.dropped;
        inner.batches.push_back(batch);
        inner.shrink_to(self.capacity);
        let dropped = inner.deliveries.dropped - before;
        drop(inner);
        self.changed.notify_one();
        dropped
    }

    /// Gives back what could not be sent, as the oldest.
    pub fn put_back(&self, batch: Batch) {
        let mut inner = self.lock();
        inner.batches.push_front(batch);
        inner.shrink_to(self.capacity);
    }

    /// Waits for rows; joins waiting batches up to `most` rows.
    pub async fn next(&self, most: usize) -> Next {
        loop {
            if let Some(next) = self.try_next(most) {
                return next;
            }
            self.changed.notified().await;
        }
    }

    fn try_next(&self, most: usize) -> Option<Next> {
        let mut inner = self.lock();
        let Some(mut batch) = inner.batches.pop_front() else {
            return inner.closed.then_some(Next::End);
        };
        while inner.batches.front().is_some_and(|next| batch.rows + next.rows <= most) {
            if let Some(next) = inner.batches.pop_front() {
                batch.append(&next);
            }
        }
        Some(Next::Batch(batch))
    }

    /// No more rows will come.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    /// Nobody will ever take the rows: closes the queue and drops what it holds.
    pub(super) fn abandon(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.shrink_to(0);
        drop(inner);
        self.changed.notify_one();
    }

    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// The counts, with what waits now.
    #[must_use]
    pub fn deliveries(&self) -> Deliveries {
        let inner = self.lock();
        let rows: usize = inner.batches.iter().map(|batch| batch.rows).sum();
        Deliveries { waiting: rows as u64, waiting_bytes: inner.bytes() as u64, ..inner.deliveries }
    }

    /// Records the outcome of a push.
    pub(super) fn record(&self, change: impl FnOnce(&mut Deliveries)) {
        change(&mut self.lock().deliveries);
    }

    /// Sets the state; returns the one before.
    pub(super) fn set_state(&self, state: SinkState) -> SinkState {
        std::mem::replace(&mut self.lock().deliveries.state, state)
    }
}

impl Inner {
    fn bytes(&self) -> usize {
        self.batches.iter().map(|batch| batch.body.len()).sum()
    }

    /// Drops the oldest batches until the rest fits.
    fn shrink_to(&mut self, capacity: usize) {
        let mut bytes = self.bytes();
        while bytes > capacity {
            let Some(oldest) = self.batches.pop_front() else { return };
            bytes -= oldest.body.len();
            self.deliveries.dropped += oldest.rows as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(text: &str) -> Batch {
        Batch { body: text.as_bytes().to_vec(), rows: text.matches('\n').count() }
    }

    #[test]
    fn a_full_queue_drops_the_oldest_and_counts_them() {
        let queue = Queue::new(8);
        assert_eq!(queue.push(batch("a\nb\n")), 0);
        assert_eq!(queue.push(batch("c\nd\n")), 0);
        assert_eq!(queue.push(batch("e\n")), 2);
        let deliveries = queue.deliveries();
        assert_eq!((deliveries.dropped, deliveries.waiting, deliveries.waiting_bytes), (2, 3, 6));
        assert_eq!(queue.try_next(10), Some(Next::Batch(batch("c\nd\ne\n"))));
    }

    #[test]
    fn batches_are_joined_up_to_a_push() {
        let queue = Queue::new(100);
        for text in ["a\n", "b\n", "c\n"] {
            queue.push(batch(text));
        }
        assert_eq!(queue.try_next(2), Some(Next::Batch(batch("a\nb\n"))));
        queue.put_back(batch("a\nb\n"));
        assert_eq!(queue.try_next(1), Some(Next::Batch(batch("a\nb\n"))));
        queue.close();
        assert_eq!(queue.try_next(1), Some(Next::Batch(batch("c\n"))));
        assert_eq!(queue.try_next(1), Some(Next::End));
    }
}
