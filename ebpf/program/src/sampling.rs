//! The choice of the packets that are shown: one of each group of packets, at a random position in it.

use aya_ebpf::helpers::{bpf_get_prandom_u32, bpf_jiffies64};

use crate::ring;

/// The second half of a CPU's ring counts as this many parts. With each full part a group is four times as large.
const PARTS: u32 = 8;
/// The number of parts after which groups stop growing: 4096 times is enough for millions of packets between two looks
/// of the reader.
const MOST_STEPS: u32 = 6;

/// The group of packets that a CPU is in. One packet of each group is shown.
#[repr(C)]
pub(crate) struct SampleGroup {
    /// The ratio that user space asked for when the group began.
    asked_ratio: u32,
    /// The number of packets in the group, all of which the chosen one stands for.
    length: u32,
    /// The number of packets of the group so far.
    count: u32,
    /// The position of the packet to show.
    chosen: u32,
    /// The tick of the kernel in which the group began.
    tick: u64,
}

/// Returns the number of packets that this one stands for if it is the chosen one of its group, and 0 if it is not. A
/// ratio of 1 chooses every packet while the ring, with `unread` records in it, has room.
#[inline(always)]
pub(crate) fn choose(group: &mut SampleGroup, ratio: u32, unread: u32) -> u32 {
    if group.asked_ratio != ratio || group.count >= group.length || group.is_stale() {
        group.begin(ratio, unread);
    }
    let is_chosen = group.count == group.chosen;
    group.count += 1;
    if is_chosen { group.length } else { 0 }
}

impl SampleGroup {
    #[inline(always)]
    fn begin(&mut self, ratio: u32, unread: u32) {
        let length = u64::from(ratio) << (2 * fullness(unread));
        self.asked_ratio = ratio;
        self.length = if length > u64::from(u32::MAX) { u32::MAX } else { length as u32 };
        self.count = 0;
        self.chosen = 0;
        if self.length > 1 {
            // SAFETY: the helpers have no arguments.
            let (random, tick) = unsafe { (bpf_get_prandom_u32(), bpf_jiffies64()) };
            self.chosen = random % self.length;
            self.tick = tick;
        }
    }

    /// Returns whether the group was made longer than asked for in an earlier tick. The reader may have emptied the ring
    /// since, so the fullness is looked at again in each tick. Until then each packet of the group had the same chance,
    /// so the ratio on the rows stays true.
    #[inline(always)]
    fn is_stale(&self) -> bool {
        // SAFETY: the helper has no arguments.
        self.length != self.asked_ratio && self.tick != unsafe { bpf_jiffies64() }
    }
}

/// Returns 0 while the ring is at most half full, and then up to `MOST_STEPS`.
#[inline(always)]
fn fullness(unread: u32) -> u32 {
    let half = ring::length() / 2;
    if unread <= half {
        return 0;
    }
    let step = 1 + (unread - half) * PARTS / half.max(1);
    if step > MOST_STEPS { MOST_STEPS } else { step }
}
