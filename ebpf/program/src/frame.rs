//! The packet in the kernel: two pointers that the verifier follows.

use packet_parser::Frame;

/// Offsets stay below this: the verifier wants a bound that it can see. The longest chain of headers is below 17,000.
const MAX_OFFSET: usize = 0x7fff;

/// The first buffer of a packet. Headers are in it, also when the payload has more buffers.
pub(crate) struct Linear {
    data: usize,
    end: usize,
    /// In a map: the verifier does not follow what is stored there.
    cursor: *mut u64,
}

impl Linear {
    #[inline(always)]
    pub(crate) fn new(data: usize, end: usize, cursor: &mut u64) -> Self {
        Self { data, end, cursor }
    }
}

impl Frame for Linear {
    #[inline(always)]
    fn header<const N: usize>(&self, offset: usize) -> Option<&[u8; N]> {
        // A mask, not a comparison: a comparison that the verifier can foresee makes it tell apart paths that differ in
        // `offset` only, of which a chain of extension headers has too many.
        let start = self.data + (offset & MAX_OFFSET);
        if start + N > self.end {
            return None;
        }
        // SAFETY: `start..start + N` is inside the packet, which outlives the program's run.
        Some(unsafe { &*(start as *const [u8; N]) })
    }

    #[inline(always)]
    fn forget(&self, offset: usize) -> usize {
        // SAFETY: a valid reference when it was taken. Volatile, so that the compiler does not take the short way.
        unsafe {
            self.cursor.write_volatile(offset as u64);
            self.cursor.read_volatile() as usize
        }
    }
}
