//! Large buffers in which secrets may lie.

use std::fmt;
use std::io;
use std::ops::{Deref, DerefMut};

use memmap2::MmapMut;
use zeroize::zeroize_bytes;

const PAGE: [u8; 4096] = [0; 4096];

/// Bytes that are zeroed when they are dropped, in one go: `Zeroizing` does it byte by byte, which takes seconds for what
/// has megabytes. They never move, so no copy stays behind.
///
/// They are pages of their own: those that stay zero take no memory, and all go back at once. glibc would keep such
/// buffers on its heap after their first use, and an image would take several times as much.
pub(crate) struct SecretBytes(MmapMut);

impl SecretBytes {
    pub(crate) fn zeroed(length: usize) -> io::Result<Self> {
        MmapMut::map_anon(length).map(Self)
    }
}

impl Deref for SecretBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for SecretBytes {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        // To write zeros over zeros would take the memory that was never used.
        for page in self.0.chunks_mut(PAGE.len()).filter(|page| !PAGE.starts_with(page)) {
            zeroize_bytes(page);
        }
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes", self.0.len())
    }
}
