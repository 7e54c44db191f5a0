//! Which packets are shown: one of each block of `ratio` packets, at a random place in it.

use aya_ebpf::helpers::bpf_get_prandom_u32;

/// Where a CPU is in its block.
#[repr(C)]
pub(crate) struct Block {
    ratio: u32,
    position: u32,
    chosen: u32,
    reserved: u32,
}

/// Whether this packet is the one of its block. 1 chooses every packet, 0 none.
#[inline(always)]
pub(crate) fn choose(block: &mut Block, ratio: u32) -> bool {
    if ratio <= 1 {
        return ratio == 1;
    }
    if block.ratio != ratio || block.position >= ratio {
        block.ratio = ratio;
        block.position = 0;
        // SAFETY: the helper has no arguments.
        block.chosen = unsafe { bpf_get_prandom_u32() } % ratio;
    }
    let chosen = block.position == block.chosen;
    block.position += 1;
    chosen
}
