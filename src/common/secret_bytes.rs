//! Large buffers that may hold secrets.

use std::fmt;
use std::io;
use std::ops::{Deref, DerefMut};

use memmap2::MmapMut;
use zeroize::zeroize_bytes;

const PAGE: [u8; 4096] = [0; 4096];

/// Bytes that are zeroed on drop, page by page: `Zeroizing` works byte by byte, which takes seconds for megabytes. They
/// never move, so no copy stays behind.
///
/// They are mapped pages: pages that stay zero take no memory, and all are returned to the kernel at once. glibc would keep
/// such buffers on its heap after their first use, which multiplies the memory for an image.
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
        // Writing zeros to an unused page would allocate it.
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
