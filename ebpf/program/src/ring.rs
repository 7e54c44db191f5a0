//! This CPU's part of the ring, as `packet_record::Position` explains it.

use core::arch::asm;
use core::ptr;

use aya_ebpf::Global;
use aya_ebpf::bindings::BPF_F_MMAPABLE;
use aya_ebpf::helpers::bpf_get_smp_processor_id;
use aya_ebpf::macros::map;
use aya_ebpf::maps::Array;
use packet_record::{Position, Record};

/// The loader sizes both maps; see `packet_record::global::RING_BITS`.
#[map]
static RECORDS: Array<Record> = Array::with_max_entries(1, BPF_F_MMAPABLE);

#[map]
static POSITIONS: Array<Position> = Array::with_max_entries(1, BPF_F_MMAPABLE);

#[unsafe(no_mangle)]
static RING_BITS: Global<u32> = Global::new(0);

const RECORD_WORDS: usize = size_of::<Record>() / size_of::<u64>();

/// How many records a CPU has.
#[inline(always)]
pub(crate) fn length() -> u32 {
    1 << bits()
}

/// So that the compiler need not ask what a shift by more does.
#[inline(always)]
fn bits() -> u32 {
    RING_BITS.load() & 31
}

/// Where a CPU is in its part of the ring.
#[repr(C)]
pub(crate) struct Place {
    /// The index of the record at hand, plus one: zero before the first packet.
    next: u64,
    /// How many records are with the reader, or were.
    written: u64,
}

impl Place {
    /// The record to write the packet at hand into, all zero. Whether anybody reads it is decided later.
    #[inline(always)]
    pub(crate) fn record(&mut self) -> Option<&'static mut Record> {
        if self.next == 0 {
            // SAFETY: the helper has no arguments.
            let cpu = unsafe { bpf_get_smp_processor_id() };
            self.next = 1 + u64::from(cpu << bits());
        }
        let record = RECORDS.get_ptr_mut((self.next - 1) as u32)?;
        clear(record);
        // SAFETY: this CPU's; user space does not read it before it is handed over. Every value of its bytes is one.
        Some(unsafe { &mut *record })
    }

    /// How far this CPU's part is written and read. None is a ring that the loader has not sized.
    #[inline(always)]
    pub(crate) fn position(&self) -> Option<*mut Position> {
        POSITIONS.get_ptr_mut((self.next - 1) as u32 >> bits())
    }

    /// Records that are not read yet.
    #[inline(always)]
    pub(crate) fn unread(&self, position: *const Position) -> u32 {
        // SAFETY: a value of the map. Volatile, for user space writes it.
        let read = unsafe { ptr::read_volatile(&raw const (*position).read) };
        self.written.wrapping_sub(read) as u32
    }

    /// Hands the record at hand to the reader, and goes on to the one after it, which has to be free.
    #[inline(always)]
    pub(crate) fn hand_over(&mut self, position: *mut Position) {
        self.written += 1;
        // SAFETY: a value of the map. An exchange, because no CPU moves a write behind one.
        unsafe {
            asm!(
                "{written} = xchg_64({position} + 0, {written})",
                written = inout(reg) self.written => _,
                position = in(reg) &raw mut (*position).written,
                options(nostack),
            );
        }
        let within = u64::from(length() - 1);
        self.next = 1 + ((self.next - 1) & !within | self.written & within);
    }
}

/// Makes a record all zero, word by word: the compiler would call a loop over bytes.
#[inline(always)]
fn clear(record: *mut Record) {
    for word in 0..RECORD_WORDS {
        // SAFETY: within the record, which is aligned to 8 and has no padding. Volatile keeps it a word.
        unsafe { record.cast::<u64>().add(word).write_volatile(0) }
    }
}
