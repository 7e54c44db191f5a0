//! Encoded rows on their way to the sink.

use super::{Row, json, line, table};

/// The most rows of one batch, and of one push.
pub const MOST_ROWS: usize = 1000;

/// The most bytes of one batch, and of one push: below what proxies accept by default (nginx: 1 MiB). A single row has
/// about 550 bytes.
pub const MOST_BYTES: usize = 768 << 10;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Line,
    Json,
    Table,
}

/// Encoded rows. Each ends with a newline, and no row holds another one.
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

    /// Whether `other` can be appended without making a batch larger than a push.
    #[must_use]
    pub fn has_room_for(&self, other: &Self) -> bool {
        self.rows + other.rows <= MOST_ROWS && self.body.len() + other.body.len() <= MOST_BYTES
    }

    pub fn append(&mut self, other: &Self) {
        self.body.extend_from_slice(&other.body);
        self.rows += other.rows;
    }

    /// Removes the first `rows` rows and returns them.
    #[must_use]
    pub fn take_rows(&mut self, rows: usize) -> Self {
        if rows >= self.rows {
            return std::mem::take(self);
        }
        let ends = self.body.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        let cut = if rows == 0 { 0 } else { ends.take(rows).last().unwrap_or(0) };
        let rest = self.body.split_off(cut);
        self.rows -= rows;
        Self { body: std::mem::replace(&mut self.body, rest), rows }
    }

    /// Removes the fewest of the first rows that have at least `bytes` bytes together. Returns how many they were.
    pub fn drop_bytes(&mut self, bytes: usize) -> usize {
        let mut rows = 0;
        let mut cut = 0;
        while cut < bytes && rows < self.rows {
            let rest = self.body.get(cut..).unwrap_or_default();
            cut += rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
            rows += 1;
        }
        self.body.drain(..cut);
        self.rows -= rows;
        rows
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
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Takes the rows encoded so far. The next batch starts with as much memory as this one used.
    pub fn take(&mut self) -> Batch {
        let next = Batch { body: Vec::with_capacity(self.batch.body.len()), rows: 0 };
        std::mem::replace(&mut self.batch, next)
    }

    /// Discards the rows encoded so far and keeps the memory.
    pub fn clear(&mut self) {
        self.batch.body.clear();
        self.batch.rows = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(text: &str) -> Batch {
        Batch { body: text.as_bytes().to_vec(), rows: text.matches('\n').count() }
    }

    #[test]
    fn a_batch_is_cut_between_rows() {
        let mut rows = batch("a\nbb\nccc\n");
        assert_eq!(rows.take_rows(0), Batch::default());
        assert_eq!(rows.take_rows(2), batch("a\nbb\n"));
        assert_eq!(rows, batch("ccc\n"));
        assert_eq!(rows.take_rows(5), batch("ccc\n"));
        assert_eq!(rows, Batch::default());
    }

    #[test]
    fn whole_rows_are_dropped_until_enough_bytes_are_free() {
        let mut rows = batch("a\nbb\nccc\n");
        assert_eq!((rows.drop_bytes(0), rows.rows), (0, 3));
        assert_eq!((rows.drop_bytes(3), &rows), (2, &batch("ccc\n")));
        assert_eq!((rows.drop_bytes(100), rows.is_empty()), (1, true));
    }
}
