//! The filter: runs the tests that user space has compiled. `packet_record::Filter` explains them.

use aya_ebpf::Global;
use aya_ebpf::macros::map;
use aya_ebpf::maps::Array;
use packet_parser::{ETHERNET, Frame};
use packet_record::{ACCEPT, Filter, MAX_FILTER_TESTS};

use crate::frame::Linear;

#[map]
static FILTER: Array<Filter> = Array::with_max_entries(1, 0);

#[unsafe(no_mangle)]
static FILTER_ENABLED: Global<u8> = Global::new(0);

/// Returns whether packets are filtered. This is fixed when the program is loaded.
#[inline(always)]
pub(crate) fn enabled() -> bool {
    FILTER_ENABLED.load() != 0
}

/// The bytes of [`Start`]. Offsets are masked with it less one.
const ROOM: usize = 32;

/// The state of the filter, which lies in a map, where the verifier does not track it.
#[repr(C)]
pub(crate) struct FilterState {
    /// The beginning of the frame as filters see it, where the packet's data has not got it: the Ethernet header and the
    /// outer VLAN tag. Four bytes more than the longest offset.
    start: [u8; ROOM + 4],
    /// The number of bytes in `start`.
    start_length: u16,
    /// The offset in the packet's data of the byte after `start`.
    rest: u16,
    /// The index of the next test.
    next: u64,
}

/// The length of an Ethernet header up to the EtherType.
const ADDRESSES: usize = ETHERNET - 2;

impl FilterState {
    /// Says that the packet's data begins with the frame.
    #[inline(always)]
    pub(crate) fn frame_is_whole(&mut self) {
        self.start_length = 0;
        self.rest = 0;
    }

    /// Says that the frame begins with this header and VLAN tag, and goes on at `rest` of the packet's data.
    #[inline(always)]
    pub(crate) fn frame_begins_with(&mut self, header: &[u8; ETHERNET], tag: Option<[u8; 4]>, rest: usize) {
        for (to, from) in self.start.iter_mut().zip(&header[..ADDRESSES]) {
            *to = *from;
        }
        let mut at = ADDRESSES;
        if let Some(tag) = tag {
            for byte in tag {
                self.start[at] = byte;
                at += 1;
            }
        }
        self.start[at] = header[ADDRESSES];
        self.start[at + 1] = header[ADDRESSES + 1];
        self.start_length = at as u16 + 2;
        self.rest = rest as u16;
    }
}

/// Returns whether the filter accepts the packet.
#[inline(always)]
pub(crate) fn accepts(frame: &Linear, state: &mut FilterState) -> bool {
    let Some(filter) = FILTER.get_ptr(0) else { return false };
    // SAFETY: a value of the map, which user space writes before it attaches the program.
    let filter = unsafe { &*filter };
    let next = &raw mut state.next;
    // SAFETY: a valid pointer. Volatile, so that the index passes through the map: the verifier then knows the same of
    // each round, and does not walk the tests in all their orders.
    unsafe { next.write_volatile(0) };
    for _ in 0..=MAX_FILTER_TESTS {
        // SAFETY: as above.
        let index = unsafe { next.read_volatile() } as usize;
        if index >= MAX_FILTER_TESTS {
            return index == ACCEPT as usize;
        }
        let test = &filter.tests[index & (MAX_FILTER_TESTS - 1)];
        let mut offset = usize::from(test.offset);
        if test.behind_ipv4 != 0 {
            let Some(first) = load::<1>(frame, state, usize::from(test.behind_ipv4)) else { return false };
            offset += (first as usize & 0xf) * 4;
        }
        let field = match test.width {
            0 => Some(state_length(frame, state)),
            1 => load::<1>(frame, state, offset),
            2 => load::<2>(frame, state, offset),
            _ => load::<4>(frame, state, offset),
        };
        let Some(field) = field else { return false };
        let index = if test.holds(field) { test.if_true } else { test.if_false };
        // SAFETY: as above.
        unsafe { next.write_volatile(u64::from(index)) };
    }
    false
}

/// Returns the length of the frame.
#[inline(always)]
fn state_length(frame: &Linear, state: &FilterState) -> u32 {
    (frame.length() + usize::from(state.start_length)).wrapping_sub(usize::from(state.rest)) as u32
}

/// Reads a big-endian number of `N` bytes at `offset` of the frame.
#[inline(always)]
fn load<const N: usize>(frame: &Linear, state: &FilterState, offset: usize) -> Option<u32> {
    let start = usize::from(state.start_length);
    let mut number = 0;
    if offset < start {
        for index in 0..N {
            number = number << 8 | u32::from(state.start[(offset & (ROOM - 1)) + index]);
        }
    } else {
        for byte in frame.header::<N>(offset - start + usize::from(state.rest))? {
            number = number << 8 | u32::from(*byte);
        }
    }
    Some(number)
}
