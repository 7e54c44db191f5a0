//! From the tree of an expression to the table of the packet program.

use super::token::FilterError;
use packet_record::{ACCEPT, Filter, FilterTest, MAX_FILTER_TESTS, REJECT};

/// A condition on a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Always,
    Test(FilterTest),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
}

impl Node {
    pub(super) fn and(self, other: Self) -> Self {
        if self == Self::Always { other } else { Self::And(Box::new(self), Box::new(other)) }
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self::Or(Box::new(self), Box::new(other))
    }

    pub(super) fn not(self) -> Self {
        Self::Not(Box::new(self))
    }
}

/// Where a test leads.
#[derive(Debug, Clone, Copy)]
enum Target {
    Accept,
    Reject,
    /// The test that was written as this one, counted from the end of the table.
    Test(usize),
}

/// Writes the tests of a condition. The first operand of `and` and `or` comes first, and the second only if it matters.
pub(super) fn tests(node: &Node, text: &str) -> Result<Filter, FilterError> {
    let mut table = Table(Vec::new());
    let start = table.write(node, Target::Accept, Target::Reject);
    if table.0.len() > MAX_FILTER_TESTS {
        return Err(FilterError::new(
            text,
            0..text.len(),
            format!("the filter is too long: it has {} tests, and {MAX_FILTER_TESTS} fit", table.0.len()),
            "use fewer primitives, or nets and port ranges",
        ));
    }
    let count = table.0.len();
    let index = |target: Target| match target {
        Target::Accept => ACCEPT,
        Target::Reject => REJECT,
        Target::Test(from_end) => u16::try_from(count - 1 - from_end).unwrap_or(REJECT),
    };
    let mut filter = Filter::default();
    for (slot, (test, if_true, if_false)) in filter.tests.iter_mut().zip(table.0.iter().rev()) {
        *slot = FilterTest { if_true: index(*if_true), if_false: index(*if_false), ..*test };
    }
    // A condition without a test is always true.
    if let (Target::Accept, Some(first)) = (start, filter.tests.first_mut()) {
        *first = FilterTest { if_true: ACCEPT, if_false: ACCEPT, ..FilterTest::default() };
    }
    Ok(filter)
}

/// The tests, the last one first, so that each test is written after those that it leads to.
struct Table(Vec<(FilterTest, Target, Target)>);

impl Table {
    /// Writes a condition that leads to one of two targets, and returns where it begins.
    fn write(&mut self, node: &Node, if_true: Target, if_false: Target) -> Target {
        match node {
            Node::Always => if_true,
            Node::Test(test) => {
                self.0.push((*test, if_true, if_false));
                Target::Test(self.0.len() - 1)
            }
            Node::And(first, second) => {
                let second = self.write(second, if_true, if_false);
                self.write(first, second, if_false)
            }
            Node::Or(first, second) => {
                let second = self.write(second, if_true, if_false);
                self.write(first, if_true, second)
            }
            Node::Not(node) => self.write(node, if_false, if_true),
        }
    }
}
