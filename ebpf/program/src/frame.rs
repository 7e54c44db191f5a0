//! A packet in the kernel: two pointers that the verifier tracks.

use packet_parser::Frame;
use packet_record::Fault;

use crate::barrier;

/// The mask of offsets, because the verifier wants a bound that it can see. The longest chain of headers is below 17,000
/// bytes.
const MAX_OFFSET: usize = 0x7fff;

/// The linear part of a packet, which is its first buffer. The headers are in it even if the payload has more buffers.
pub(crate) struct Linear {
    data: usize,
    end: usize,
    /// The bytes of the whole packet, in all its buffers.
    length: usize,
    /// A word in a map, where the verifier does not track what is stored.
    scratch: *mut u64,
}

impl Linear {
    #[inline(always)]
    pub(crate) fn new(data: usize, end: usize, length: u32, scratch: &mut u64) -> Self {
        Self { data, end, length: length as usize, scratch }
    }
}

impl Frame for Linear {
    #[inline(always)]
    fn header<const N: usize>(&self, offset: usize) -> Option<&[u8; N]> {
        // A mask and not a comparison: after a comparison whose result the verifier can foresee, it distinguishes paths
        // that differ in `offset` only, and a chain of extension headers has too many of those.
        let start = self.data + (offset & MAX_OFFSET);
        // Of one byte the compiler would make `start >= end`, from which the verifier learns nothing
        // (`find_good_pkt_pointers` in kernel/bpf/verifier.c).
        let stop = if N == 1 { barrier::hide_value_from_compiler(start + N) } else { start + N };
        if stop > self.end {
            return None;
        }
        // SAFETY: `start..start + N` is inside the packet, which outlives the program's run.
        Some(unsafe { &*(start as *const [u8; N]) })
    }

    #[inline(always)]
    fn hide(&self, offset: usize) -> usize {
        // SAFETY: the pointer was made from a valid reference. Volatile, so that the compiler does not skip the memory.
        unsafe {
            self.scratch.write_volatile(offset as u64);
            self.scratch.read_volatile() as usize
        }
    }

    #[inline(always)]
    fn length(&self) -> usize {
        self.length
    }

    #[inline(always)]
    fn missing(&self, truncated: Fault) -> Fault {
        if self.data + self.length > self.end { Fault::OutOfReach } else { truncated }
    }
}
