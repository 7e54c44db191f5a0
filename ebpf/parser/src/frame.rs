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
    u16::from_be_bytes(copy(header, at))
}

/// The `LENGTH` bytes at `at`, a word at a time: for more at once the compiler calls a function.
#[inline(always)]
pub(crate) fn copy<const LENGTH: usize, const N: usize>(header: &[u8; N], at: usize) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    let (words, rest) = bytes.as_chunks_mut::<{ size_of::<u64>() }>();
    let (source_words, source_rest) = header[at..at + LENGTH].as_chunks();
    for (word, source) in words.iter_mut().zip(source_words) {
        *word = u64::from_ne_bytes(*source).to_ne_bytes();
    }
    rest.copy_from_slice(source_rest);
    bytes
}
