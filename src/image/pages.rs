//! Memory for a whole partition: pages that stay zero take none, and all of it goes back at once.
//!
//! From the heap such blocks would be kept by the allocator after their first use (glibc raises its threshold for
//! mapping them), and an image would take several times as much.

use std::fmt;
use std::io;
use std::ops::{Deref, DerefMut};

use memmap2::MmapMut;
use zeroize::Zeroize;

const PAGE: usize = 4096;
const ZEROS: [u8; PAGE] = [0; PAGE];

/// Bytes that are zero until they are written, and are zeroed when this is dropped. Never in `Debug`.
pub(crate) struct Pages(MmapMut);

impl Pages {
    pub(crate) fn zeroed(length: usize) -> io::Result<Self> {
        MmapMut::map_anon(length).map(Self)
    }
}

impl Deref for Pages {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Pages {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // To write zeros over zeros would take the memory that was never used.
        for page in self.0.chunks_mut(PAGE).filter(|page| !ZEROS.starts_with(page)) {
            page.zeroize();
        }
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Pages({} bytes)", self.0.len())
    }
}
