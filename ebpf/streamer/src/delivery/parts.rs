//! A batch that is sent in parts.

use crate::row::Batch;
use std::collections::VecDeque;

/// Parts of a batch still to be sent, each with its place in it.
pub(super) struct Parts(VecDeque<(usize, Batch)>);

impl Parts {
    /// A batch as one part.
    pub(super) fn of(batch: Batch) -> Self {
        Self(VecDeque::from([(0, batch)]))
    }

    /// The next part, cut so that it has at most `most` rows; what is cut off comes after it.
    pub(super) fn next(&mut self, most: usize) -> Option<(usize, Batch)> {
        let (place, mut part) = self.0.pop_front()?;
        while part.rows > most {
            let (first, second) = part.halves();
            part = first;
            let Some(second) = second else { break };
            self.put_back(place + part.rows, second);
        }
        Some((place, part))
    }

    /// Makes a part the next one.
    pub(super) fn put_back(&mut self, place: usize, part: Batch) {
        self.0.push_front((place, part));
    }

    /// Makes a part's halves the last ones. Gives back what cannot be halved.
    pub(super) fn put_off_halves(&mut self, place: usize, part: Batch) -> Option<Batch> {
        match part.halves() {
            (first, Some(second)) => {
                let middle = place + first.rows;
                self.0.extend([(place, first), (middle, second)]);
                None
            }
            (row, None) => Some(row),
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.0.iter().map(|(_, part)| part.rows).sum()
    }

    /// The parts as one batch, in the rows' order.
    pub(super) fn joined(self) -> Batch {
        let mut parts = Vec::from(self.0);
        parts.sort_by_key(|(place, _)| *place);
        let mut batch = Batch::default();
        for (_, part) in parts {
            batch.append(&part);
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(text: &str) -> Batch {
        Batch { body: text.as_bytes().to_vec(), rows: text.matches('\n').count() }
    }

    #[test]
    fn parts_are_cut_to_size_and_joined_in_order() {
        let mut parts = Parts::of(batch("a\nb\nc\nd\ne\n"));
        assert_eq!(parts.next(2), Some((0, batch("a\nb\n"))));
        let (place, part) = parts.next(2).unwrap();
        assert_eq!((place, &part), (2, &batch("c\n")));
        assert_eq!(parts.put_off_halves(place, part), Some(batch("c\n")));
        let (place, part) = parts.next(9).unwrap();
        assert_eq!((place, &part), (3, &batch("d\ne\n")));
        assert_eq!(parts.put_off_halves(place, part), None);
        let (place, part) = parts.next(0).unwrap();
        parts.put_back(2, batch("c\n"));
        parts.put_back(place, part);
        assert_eq!(parts.rows(), 3);
        assert_eq!(parts.joined(), batch("c\nd\ne\n"));
    }
}
