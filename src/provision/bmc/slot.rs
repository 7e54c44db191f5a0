//! The slots of a board.

use std::fmt;

use crate::config::cluster::Place;

/// A slot of a board. The board and cluster.toml count slots from 1, `node=` parameters of the API count them from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    index: u8,
}

impl Slot {
    pub const ALL: [Self; 4] = [Self { index: 0 }, Self { index: 1 }, Self { index: 2 }, Self { index: 3 }];

    /// Returns the slot of a place. The checked model has only slots 1 to 4.
    #[must_use]
    pub fn of(place: &Place) -> Self {
        Self { index: place.slot.saturating_sub(1).min(3) }
    }

    /// The slot counted from 0, as `node=` parameters have it.
    #[must_use]
    pub fn index(self) -> u8 {
        self.index
    }

    /// The slot counted from 1, as the board is labelled.
    #[must_use]
    pub fn number(self) -> u8 {
        self.index + 1
    }

    /// Finds the slot with the name that the BMC gives it, such as `Node 1`.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|slot| slot.to_string() == name)
    }
}

/// Formats the slot as the BMC names it.
impl fmt::Display for Slot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Node {}", self.number())
    }
}
