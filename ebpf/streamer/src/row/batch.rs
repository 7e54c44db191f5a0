//! Rows on their way out: encoded once, counted, in order.

use super::{Row, UnixNanos, json, line, table};
use std::hash::{Hash as _, Hasher as _};

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Line,
    Json,
    Table,
}

/// Encoded rows, one a line.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Batch {
    pub body: Vec<u8>,
    pub rows: usize,
}

impl Batch {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub fn append(&mut self, other: &Self) {
        self.body.extend_from_slice(&other.body);
        self.rows += other.rows;
    }

    /// The first and the second half, by rows; a single row stays whole.
    #[must_use]
    pub fn halves(self) -> (Self, Option<Self>) {
        if self.rows < 2 {
            return (self, None);
        }
        let first = self.rows / 2;
        let ends = self.body.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let cut = ends.map(|(at, _)| at + 1).nth(first - 1).unwrap_or(self.body.len());
        let (head, tail) = self.body.split_at(cut);
        let second = Self { body: tail.to_vec(), rows: self.rows - first };
        (Self { body: head.to_vec(), rows: first }, Some(second))
    }
}

/// Encodes rows into the batch that is being filled.
#[derive(Debug)]
pub struct Encoder {
    encoding: Encoding,
    batch: Batch,
}

impl Encoder {
    #[must_use]
    pub fn new(encoding: Encoding) -> Self {
        Self { encoding, batch: Batch::default() }
    }

    pub fn encode(&mut self, row: &impl Row) {
        let out = &mut self.batch.body;
        match self.encoding {
            Encoding::Line => line::append(row, out),
            Encoding::Json => json::append(row, out),
            Encoding::Table => table::append(row, out),
        }
        self.batch.rows += 1;
    }

    #[must_use]
    pub fn rows(&self) -> usize {
        self.batch.rows
    }

    /// Takes what was encoded; the next batch starts with as much room as this one used.
    pub fn take(&mut self) -> Batch {
        let next = Batch { body: Vec::with_capacity(self.batch.body.len()), rows: 0 };
        std::mem::replace(&mut self.batch, next)
    }

    /// Forgets what was encoded and keeps the room.
    pub fn clear(&mut self) {
        self.batch.body.clear();
        self.batch.rows = 0;
    }
}

const MILLISECOND: UnixNanos = 1_000_000;
/// How far a row's time may run ahead of its packet's.
const MOST_AHEAD: UnixNanos = 250 * MILLISECOND;

/// Gives each row of a measurement a time of its own.
///
/// The kernel's coarse clock moves once in 1 to 4 ms, so packets share their time; `InfluxDB` keeps one row
/// per time, measurement and tag set, and we write no tags. Grafana before 13 counts in milliseconds: of the rows of one
/// push that share one, its panels keep the last. So rows of one source are a millisecond apart, as long as that does not
/// take them far ahead, and single nanoseconds beyond; sources are told apart by a fixed offset below one millisecond.
#[derive(Debug)]
pub struct UniqueTime {
    offset: UnixNanos,
    last: UnixNanos,
}

impl UniqueTime {
    #[must_use]
    pub fn new(origin: &super::Origin) -> Self {
        let mut hasher = siphasher::sip::SipHasher13::new();
        origin.host().hash(&mut hasher);
        origin.interface().hash(&mut hasher);
        Self { offset: super::signed(hasher.finish() % MILLISECOND.unsigned_abs()), last: 0 }
    }

    /// The first free millisecond at or after `time`, or where that is too far ahead, the first free nanosecond.
    pub fn assign(&mut self, time: UnixNanos) -> UnixNanos {
        let own = time.saturating_add(self.offset);
        let apart = self.last.saturating_add(MILLISECOND);
        let free = if apart <= own.saturating_add(MOST_AHEAD) { apart } else { self.last + 1 };
        self.last = own.max(free);
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::super::Origin;
    use super::*;

    #[test]
    fn halves_are_cut_between_rows() {
        let batch = Batch { body: b"a\nbb\nccc\n".to_vec(), rows: 3 };
        let (first, second) = batch.halves();
        assert_eq!(first, Batch { body: b"a\n".to_vec(), rows: 1 });
        assert_eq!(second, Some(Batch { body: b"bb\nccc\n".to_vec(), rows: 2 }));
        assert_eq!(first.clone().halves(), (first, None));
    }

    #[test]
    fn no_two_rows_share_a_time() {
        let origin = Origin::new("rk1-01", "end0");
        let mut times = UniqueTime::new(&origin);
        let first = times.assign(5_000_000);
        let next = [times.assign(5_000_000), times.assign(4_000_000)];
        assert_eq!(next, [first + MILLISECOND, first + 2 * MILLISECOND]);
        assert!((5_000_000..6_000_000).contains(&first));
    }

    #[test]
    fn a_burst_does_not_run_far_ahead() {
        let origin = Origin::new("rk1-01", "end0");
        let mut times = UniqueTime::new(&origin);
        let first = times.assign(MILLISECOND);
        let burst: Vec<_> = (0..2000).map(|_| times.assign(MILLISECOND)).collect();
        assert!(burst.is_sorted_by(|a, b| a < b));
        assert_eq!(burst[249], first + MOST_AHEAD);
        assert_eq!(burst[1999], first + MOST_AHEAD + 1750);
        // The clock has gone on: back to milliseconds.
        assert_eq!(times.assign(3 * MILLISECOND), burst[1999] + MILLISECOND);
        assert_eq!(times.assign(900 * MILLISECOND) / MILLISECOND, 900);
    }
}
