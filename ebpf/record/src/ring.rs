//! The indexes of the ring of records, which the program and user space share.

/// The write index and the read index of one CPU's ring.
///
/// A CPU has `1 << ring_bits` consecutive records of [`map::RECORDS`](crate::map::RECORDS), beginning at
/// `cpu << ring_bits`. An index counts records since loading; record `n` lies at `n` modulo the ring's length. The
/// records from `read` up to, not including, `written` are complete. The program may write into the one at `written` at
/// any time, so a ring holds one record less than its length.
///
/// Only the program writes `written`: after the record, by an atomic exchange that no CPU reorders with it, or by an ordinary
/// write on processors that keep the order of writes ([`global::STORES_IN_ORDER`](crate::global::STORES_IN_ORDER)). User space
/// loads it with acquire ordering. Only user space writes `read`: with release ordering, after it has read the records.
///
/// Each index has a cache line of its own, because otherwise each side would slow the other down.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RingIndexes {
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
    fn indexes_share_no_cache_line() {
        assert_eq!((offset_of!(RingIndexes, written), offset_of!(RingIndexes, read)), (0, 64));
        assert_eq!(size_of::<RingIndexes>(), 128);
    }
}
