use packet_record::Fault;

/// The bytes of a frame, beginning with the destination MAC, or with the IP header without Ethernet.
pub trait Frame {
    /// Returns the `N` bytes at `offset`, or `None` if the frame ends before them.
    fn header<const N: usize>(&self, offset: usize) -> Option<&[u8; N]>;

    /// Returns the same number. In the kernel the verifier no longer knows how it was computed, so that it does not walk
    /// the rest of the program once for each path to this point.
    fn hide(&self, offset: usize) -> usize {
        offset
    }

    /// Returns the length of the frame, which may be more than can be read.
    fn length(&self) -> usize;

    /// Returns the fault of a frame whose header could not be read: `truncated`, or [`Fault::OutOfReach`] if the frame has
    /// more bytes than can be read.
    fn missing(&self, truncated: Fault) -> Fault;
}

impl Frame for [u8] {
    fn header<const N: usize>(&self, offset: usize) -> Option<&[u8; N]> {
        self.get(offset..)?.first_chunk()
    }

    fn length(&self) -> usize {
        self.len()
    }

    fn missing(&self, truncated: Fault) -> Fault {
        truncated
    }
}

/// Reads the two bytes at `at` in network byte order.
#[inline(always)]
pub(crate) fn be16<const N: usize>(header: &[u8; N], at: usize) -> u16 {
    u16::from_be_bytes(copy(header, at))
}

/// Copies the `LENGTH` bytes at `at` a word at a time: for more at once the compiler would emit a call.
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
