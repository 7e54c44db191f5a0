//! Which packets are shown: one of each block, at a random place in it.

use aya_ebpf::helpers::{bpf_get_prandom_u32, bpf_jiffies64};

use crate::ring;

/// The second half of this CPU's ring, in parts. With each that is full a block is four times as long.
const PARTS: u32 = 8;
/// With the last parts no longer: 4096 times is enough for millions of packets between two looks of the reader.
const MOST_STEPS: u32 = 6;

/// Where a CPU is in its block.
#[repr(C)]
pub(crate) struct Block {
    /// The ratio that was asked for when it began.
    asked: u32,
    /// How many packets it has, and the chosen one stands for.
    length: u32,
    position: u32,
    chosen: u32,
    /// When it began, in ticks of the kernel.
    tick: u64,
}

/// How many packets this one stands for if it is the one of its block, else 0. A ratio of 1 chooses every packet while
/// the ring, with that many records unread, has room.
#[inline(always)]
pub(crate) fn choose(block: &mut Block, ratio: u32, unread: u32) -> u32 {
    if block.asked != ratio || block.position >= block.length || block.is_stale() {
        block.begin(ratio, unread);
    }
    let chosen = block.position == block.chosen;
    block.position += 1;
    if chosen { block.length } else { 0 }
}

impl Block {
    #[inline(always)]
    fn begin(&mut self, ratio: u32, unread: u32) {
        let length = u64::from(ratio) << (2 * fullness(unread));
        self.asked = ratio;
        self.length = if length > u64::from(u32::MAX) { u32::MAX } else { length as u32 };
        self.position = 0;
        self.chosen = 0;
        if self.length > 1 {
            // SAFETY: the helpers have no arguments.
            let (random, tick) = unsafe { (bpf_get_prandom_u32(), bpf_jiffies64()) };
            self.chosen = random % self.length;
            self.tick = tick;
        }
    }

    /// Whether it was made longer than asked for by a ring that may have been read since: that is looked at again in
    /// each tick. Each of its packets had the same chance until then, so the ratio of the others stays true.
    #[inline(always)]
    fn is_stale(&self) -> bool {
        // SAFETY: the helper has no arguments.
        self.length != self.asked && self.tick != unsafe { bpf_jiffies64() }
    }
}

/// 0 while the ring is at most half full, then up to `MOST_STEPS`.
#[inline(always)]
fn fullness(unread: u32) -> u32 {
    let half = ring::length() / 2;
    if unread <= half {
        return 0;
    }
    let step = 1 + (unread - half) * PARTS / half.max(1);
    if step > MOST_STEPS { MOST_STEPS } else { step }
}
