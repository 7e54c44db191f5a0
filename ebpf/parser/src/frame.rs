/// The bytes of a frame, from the destination MAC on.
pub trait Frame {
    /// The `N` bytes at `offset`, or `None` if the frame ends before them.
    fn header<const N: usize>(&self, offset: usize) -> Option<&[u8; N]>;

    /// The same number. In the kernel one of which the verifier no longer knows where it came from, so that it need not
    /// walk the rest of the program once for each way there.
    fn forget(&self, offset: usize) -> usize {
        offset
    }
}

impl Frame for [u8] {
    fn header<const N: usize>(&self, offset: usize) -> Option<&[u8; N]> {
        self.get(offset..)?.first_chunk()
    }
}

/// The two bytes at `at`, in network byte order.
#[inline(always)]
pub(crate) fn be16<const N: usize>(header: &[u8; N], at: usize) -> u16 {
    u16::from_be_bytes([header[at], header[at + 1]])
}

/// An IPv4 address as the record holds it.
#[inline(always)]
pub(crate) fn ipv4_address<const N: usize>(header: &[u8; N], at: usize) -> [u8; 16] {
    let mut address = [0; 16];
    address[..4].copy_from_slice(&header[at..at + 4]);
    address
}
