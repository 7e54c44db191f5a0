//! The maps, named and explained in `packet-record`.

use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, PerCpuArray, PerCpuHashMap, RingBuf};
use packet_record::{Control, Counters, FlowKey, Record, Traffic};

use crate::clock::Clock;
use crate::flows::Making;
use crate::sampling::Block;

const RECORD_WORDS: usize = size_of::<Record>() / size_of::<u64>();

#[map]
pub(crate) static RECORDS: RingBuf = RingBuf::with_byte_size(1 << 20, 0);

#[map]
static COUNTERS: PerCpuArray<Counters> = PerCpuArray::with_max_entries(1, 0);

#[map]
static CONTROL: Array<Control> = Array::with_max_entries(1, 0);

#[map]
pub(crate) static FLOWS: PerCpuHashMap<FlowKey, Traffic> = PerCpuHashMap::with_max_entries(4096, 0);

/// What a CPU remembers from packet to packet.
#[repr(C)]
pub(crate) struct State {
    /// The packet at hand. Here and not on the stack, because the verifier does not follow what is in a map: what was
    /// read in a packet does not multiply the paths that it has to walk afterwards.
    pub(crate) record: Record,
    pub(crate) cursor: u64,
    pub(crate) clock: Clock,
    pub(crate) block: Block,
    pub(crate) making: Making,
}

impl State {
    /// Makes the record all zero, word by word: the compiler would call a loop over bytes.
    #[inline(always)]
    pub(crate) fn clear_record(&mut self) {
        let words = core::ptr::from_mut(&mut self.record).cast::<u64>();
        for word in 0..RECORD_WORDS {
            // SAFETY: within the record, which is aligned to 8 and has no padding. Volatile keeps it a word.
            unsafe { words.add(word).write_volatile(0) }
        }
    }

    /// Copies the record into the ring, word by word for the same reason.
    #[inline(always)]
    pub(crate) fn copy_record_to(&self, target: *mut Record) {
        let words = core::ptr::from_ref(&self.record).cast::<u64>();
        for word in 0..RECORD_WORDS {
            // SAFETY: as above; the ring reserved as many bytes, aligned to 8.
            unsafe { target.cast::<u64>().add(word).write_volatile(words.add(word).read()) }
        }
    }
}

#[map]
static STATE: PerCpuArray<State> = PerCpuArray::with_max_entries(1, 0);

/// This CPU's counters.
#[inline(always)]
pub(crate) fn counters() -> Option<&'static mut Counters> {
    // SAFETY: per CPU, and the program does not run twice at once on one: nothing else writes it.
    COUNTERS.get_ptr_mut(0).map(|counters| unsafe { &mut *counters })
}

#[inline(always)]
pub(crate) fn control() -> Option<&'static Control> {
    // SAFETY: an array's entry is always there. User space may write it meanwhile: see `Control`.
    CONTROL.get_ptr(0).map(|control| unsafe { &*control })
}

/// This CPU's state.
#[inline(always)]
pub(crate) fn state() -> Option<&'static mut State> {
    // SAFETY: as for the counters.
    STATE.get_ptr_mut(0).map(|state| unsafe {
        // The compiler keeps words whole only where it knows that they are aligned.
        core::hint::assert_unchecked(state.is_aligned());
        &mut *state
    })
}
