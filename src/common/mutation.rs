//! Mutations of what comes from outside, for tests: whatever a node, a router, Kubernetes or a repository says, reading it ends
//! and does not panic.

use std::time::{Duration, Instant};

/// Mutations of all samples together.
const COUNT: usize = 12_000;
/// The longest that reading one answer may take, with much room for a machine that is busy.
const LIMIT: Duration = Duration::from_secs(5);

/// Numbers that are the same in every run (xorshift, G. Marsaglia 2003).
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    /// Returns a number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or_default() % limit.max(1)
    }
}

/// Has `read` read mutations of the samples. `words` are put into some of them.
pub(crate) fn for_each(samples: &[&[u8]], words: &[&str], mut read: impl FnMut(&[u8])) {
    let mut numbers = Numbers::new();
    let ours = [
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        "\n",
        "== ",
        "\u{1b}[2J",
        "99999999999999999999",
        "-1",
        "&a *a",
        "null",
    ];
    for number in 0..COUNT {
        let mut bytes = samples[number % samples.len()].to_vec();
        for _ in 0..=numbers.below(4) {
            let at = numbers.below(bytes.len() + 1);
            let end = (at + numbers.below(40)).min(bytes.len());
            match numbers.below(6) {
                0 => bytes.truncate(at),
                1 => drop(bytes.drain(at..end)),
                2 => {
                    let copy = bytes[at..end].to_vec();
                    bytes.splice(at..at, copy);
                }
                3 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
                4 => {
                    let word = ours[numbers.below(ours.len())];
                    bytes.splice(at..at, word.bytes());
                }
                _ if !words.is_empty() => {
                    let word = words[numbers.below(words.len())];
                    bytes.splice(at..end, word.bytes());
                }
                _ => bytes.reverse(),
            }
        }
        let began = Instant::now();
        read(&bytes);
        assert!(began.elapsed() < LIMIT, "{}", String::from_utf8_lossy(&bytes));
    }
}
