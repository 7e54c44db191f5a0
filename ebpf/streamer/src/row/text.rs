//! A short text on the stack, so that encoding a row allocates nothing.

use std::fmt;

/// Text of at most `N` bytes. A longer text is cut between two characters.
#[derive(Clone, Copy)]
pub struct Text<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Text<N> {
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: [0; N], length: 0 }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        // SAFETY: `push` and `push_ascii` wrote the first `length` bytes, and both write whole characters only.
        unsafe { std::str::from_utf8_unchecked(&self.bytes[..self.length]) }
    }

    /// Appends the characters of `text` that fit.
    pub(crate) fn push(&mut self, text: &str) {
        let end = text.floor_char_boundary(N - self.length);
        self.bytes[self.length..self.length + end].copy_from_slice(&text.as_bytes()[..end]);
        self.length += end;
    }

    /// Appends ASCII bytes, as many as fit.
    pub(crate) fn push_ascii(&mut self, bytes: &[u8]) {
        debug_assert!(bytes.is_ascii());
        let end = bytes.len().min(N - self.length);
        self.bytes[self.length..self.length + end].copy_from_slice(&bytes[..end]);
        self.length += end;
    }

    pub(crate) fn push_integer(&mut self, value: impl itoa::Integer) {
        self.push(itoa::Buffer::new().format(value));
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> fmt::Write for Text<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        Ok(())
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let mut text = Text::<4>::new();
        text.push("abcé");
        assert_eq!(text.as_str(), "abc");
    }
}
