//! Copies of whole packets for user space, where it asks for them.

use aya_ebpf::macros::map;
use aya_ebpf::maps::PerfEventArray;
use aya_ebpf::{EbpfContext, Global};
use packet_record::{CaptureHead, Flags, Record};

/// Events of variable length: a head and the first bytes of a packet, which the kernel copies.
#[map]
static PACKETS: PerfEventArray<CaptureHead> = PerfEventArray::new(0);

/// The most bytes of a packet to copy. With 0 the verifier removes all of this.
#[unsafe(no_mangle)]
static SNAPLEN: Global<u32> = Global::new(0);

/// How the data of a packet differs from its frame. Plain numbers: with an `Option` in it, the compiler computes with
/// pointers in ways that the verifier refuses.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    /// The length of the data.
    pub(crate) length: u32,
    /// 1 if the data begins behind the Ethernet header, which is in `CpuState::ethernet_header` then.
    pub(crate) ethernet_is_apart: u32,
    /// The tag that the kernel has taken out, as it lies in a frame, or 0.
    pub(crate) tag: u32,
}

impl Layout {
    /// Returns the layout of data that is the whole frame.
    #[inline(always)]
    pub(crate) fn whole(length: u32) -> Self {
        Self { length, ethernet_is_apart: 0, tag: 0 }
    }
}

/// Copies the packet to user space, if it asks for that. The record has the packet's time.
#[inline(always)]
pub(crate) fn copy(context: &impl EbpfContext, record: &Record, layout: Layout, ethernet_header: &[u8; 16]) {
    let snaplen = SNAPLEN.load();
    if snaplen == 0 {
        return;
    }
    let length = if layout.length < snaplen { layout.length } else { snaplen };
    let head = CaptureHead {
        time: record.time,
        frame_length: record.frame_length,
        length,
        ethernet: *ethernet_header,
        ethernet_is_apart: layout.ethernet_is_apart,
        tag: layout.tag,
        is_sent: record.flags.contains(Flags::SENT) as u32,
        reserved: 0,
    };
    // The upper half of the flags is how much of the packet the kernel appends.
    PACKETS.output(context, head, length);
}

/// Returns whether packets are copied. Then their times have to be more exact than the coarse clock.
#[inline(always)]
pub(crate) fn enabled() -> bool {
    SNAPLEN.load() != 0
}
