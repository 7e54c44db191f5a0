//! Large buffers in which secrets may lie.

use std::fmt;
use std::ops::{Deref, DerefMut};

use zeroize::zeroize_bytes;

/// Bytes that are zeroed when they are dropped, in one go: `Zeroizing` does it byte by byte, which takes seconds for what
/// has megabytes. They never move, so no copy stays behind.
pub(crate) struct SecretBytes(Box<[u8]>);

impl SecretBytes {
    pub(crate) fn zeroed(length: usize) -> Self {
        Self(vec![0; length].into_boxed_slice())
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
        zeroize_bytes(&mut self.0);
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes", self.0.len())
    }
}
