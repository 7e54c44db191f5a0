//! Reads of several bytes in the kernel.
//!
//! A packet's headers lie at any address. The compiler reads unaligned bytes one by one on this target, although every
//! machine with an XDP driver reads words from there at once; so the words are read by the instruction itself.

use core::arch::asm;

macro_rules! read {
    ($name:ident, $word:ty, $kind:literal) => {
        #[inline(always)]
        fn $name(source: &[u8]) -> [u8; size_of::<$word>()] {
            assert!(source.len() >= size_of::<$word>());
            let word: u64;
            // SAFETY: `source` has that many bytes; the instruction only reads them.
            unsafe {
                asm!(
                    concat!("{word} = *(", $kind, " *)({source} + 0)"),
                    word = lateout(reg) word,
                    source = in(reg) source.as_ptr(),
                    options(pure, readonly, nostack, preserves_flags),
                );
            }
            (word as $word).to_ne_bytes()
        }
    };
}

read!(read2, u16, "u16");
read!(read4, u32, "u32");
read!(read8, u64, "u64");

/// Copies in words. Both are equally long.
#[inline(always)]
pub(crate) fn copy(source: &[u8], target: &mut [u8]) {
    let mut at = 0;
    while at + 8 <= source.len() {
        target[at..at + 8].copy_from_slice(&read8(&source[at..]));
        at += 8;
    }
    if at + 4 <= source.len() {
        target[at..at + 4].copy_from_slice(&read4(&source[at..]));
        at += 4;
    }
    if at + 2 <= source.len() {
        target[at..at + 2].copy_from_slice(&read2(&source[at..]));
        at += 2;
    }
    if at < source.len() {
        target[at] = source[at];
    }
}
