//! The compiled filter: tests on a packet's bytes, each of which leads on to another test or to a decision.

use crate::FilterTest as Test;

/// The number of tests that a filter has at most.
pub const MAX_FILTER_TESTS: usize = 128;

/// The value of [`FilterTest::if_true`] and [`FilterTest::if_false`] that accepts the packet.
pub const ACCEPT: u16 = 0xffff;

/// The value of [`FilterTest::if_true`] and [`FilterTest::if_false`] that rejects the packet.
pub const REJECT: u16 = 0xfffe;

/// A filter: the only value of [`map::FILTER`](crate::map::FILTER).
///
/// The program begins with the first test. Each test leads to a later one, or to [`ACCEPT`] or [`REJECT`], so that the
/// number of steps is bounded. As in classic BPF, a test that reads beyond the end of the packet rejects the packet.
///
/// Offsets are those of an Ethernet frame with its outer VLAN tag in place, even where the kernel has taken it off. A
/// packet without an Ethernet header is read as if it had one with MAC addresses of zero.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filter {
    pub tests: [FilterTest; MAX_FILTER_TESTS],
}

impl Default for Filter {
    /// Returns a filter that rejects every packet.
    fn default() -> Self {
        Self { tests: [Test { if_true: REJECT, if_false: REJECT, ..Test::default() }; MAX_FILTER_TESTS] }
    }
}

/// One test of a [`Filter`]: a big-endian field of the packet, masked and compared with a number.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FilterTest {
    /// The bits of the field that count.
    pub mask: u32,
    /// The number that the masked field is compared with.
    pub number: u32,
    /// The offset of the field.
    pub offset: u16,
    /// The offset of an IPv4 header whose length is added to `offset`, or 0.
    pub behind_ipv4: u16,
    /// The index of the next test if the comparison holds, or [`ACCEPT`] or [`REJECT`].
    pub if_true: u16,
    /// As `if_true`, if the comparison does not hold.
    pub if_false: u16,
    /// The bytes of the field: 1, 2 or 4. With 0 the field is the length of the frame.
    pub width: u8,
    /// The [`Comparison`].
    pub comparison: u8,
    /// Zero.
    pub reserved: u16,
}

/// How a [`FilterTest`] compares the field with its number.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal = 0,
    /// The field is greater than or equal to the number.
    AtLeast = 1,
}

impl FilterTest {
    /// Returns whether `field` passes the test.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "in the kernel it is part of one function")]
    #[must_use]
    pub fn holds(&self, field: u32) -> bool {
        let field = field & self.mask;
        if self.comparison == Comparison::Equal as u8 { field == self.number } else { field >= self.number }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_no_padding() {
        assert_eq!(size_of::<FilterTest>(), 2 * 4 + 4 * 2 + 2 + 2);
        assert_eq!(size_of::<Filter>(), MAX_FILTER_TESTS * size_of::<FilterTest>());
    }

    #[test]
    fn a_test_compares_the_masked_field() {
        let equal = FilterTest { mask: 0xf0, number: 0x40, ..FilterTest::default() };
        assert_eq!((equal.holds(0x45), equal.holds(0x54)), (true, false));
        let least = FilterTest {
            mask: 0xff,
            number: 9,
            comparison: Comparison::AtLeast as u8,
            ..FilterTest::default()
        };
        assert_eq!((least.holds(9), least.holds(0x108)), (true, false));
    }
}
