//! The ring of records: memory that the program writes and user space maps.

/// One CPU's part of the ring: how far the program has written and user space has read.
///
/// A CPU has `1 << ring_bits` consecutive records of [`map::RECORDS`](crate::map::RECORDS), from `cpu << ring_bits` on.
/// Numbers count records since loading; record `n` lies at `n` modulo the part's length. Those from `read` up to, not
/// including, `written` are whole. The one at `written` is the program's to write into at any time, so a part holds one
/// record less than its length.
///
/// The program alone writes `written`, after the record, in an exchange that no CPU reorders with it: user space loads
/// it with acquire ordering. User space alone writes `read`, with release ordering, after it has read the records.
///
/// On a cache line each, or either side would slow the other down.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    pub written: u64,
    /// Zero.
    pub reserved: [u64; 7],
    pub read: u64,
    /// Zero.
    pub also_reserved: [u64; 7],
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem::offset_of;

    #[test]
    fn sides_share_no_cache_line() {
        assert_eq!((offset_of!(Position, written), offset_of!(Position, read)), (0, 64));
        assert_eq!(size_of::<Position>(), 128);
    }
}
