use std::fmt;

use crate::config::cluster::Node;

/// A slot of a board, counted both ways: by 1 on the board and in names, by 0 in `node=` parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    index: u8,
}

impl Slot {
    pub const ALL: [Self; 4] = [Self { index: 0 }, Self { index: 1 }, Self { index: 2 }, Self { index: 3 }];

    /// The slot of a node.
    #[must_use]
    pub fn of(node: &Node) -> Self {
        Self { index: node.slot.saturating_sub(1).min(3) }
    }

    /// 0 to 3.
    #[must_use]
    pub fn index(self) -> u8 {
        self.index
    }

    /// 1 to 4.
    #[must_use]
    pub fn number(self) -> u8 {
        self.index + 1
    }

    /// The slot that an answer names, such as `Node 1`.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|slot| slot.to_string() == name)
    }
}

/// As the BMC writes it.
impl fmt::Display for Slot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Node {}", self.number())
    }
}
