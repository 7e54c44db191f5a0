//! The program's side of the ring of records. `packet_record::RingIndexes` explains the protocol.

use core::arch::asm;
use core::ptr;

use aya_ebpf::Global;
use aya_ebpf::bindings::BPF_F_MMAPABLE;
use aya_ebpf::helpers::bpf_get_smp_processor_id;
use aya_ebpf::macros::map;
use aya_ebpf::maps::Array;
use packet_record::{Record, RingIndexes};

// The loader sizes both maps: see `packet_record::global::RING_BITS`.
#[map]
static RECORDS: Array<Record> = Array::with_max_entries(1, BPF_F_MMAPABLE);

#[map]
static RING_INDEXES: Array<RingIndexes> = Array::with_max_entries(1, BPF_F_MMAPABLE);

#[unsafe(no_mangle)]
static RING_BITS: Global<u32> = Global::new(0);

const RECORD_WORDS: usize = size_of::<Record>() / size_of::<u64>();

/// Returns the number of records of each CPU.
#[inline(always)]
pub(crate) fn length() -> u32 {
    1 << bits()
}

/// Returns the binary logarithm of the ring's length. The mask spares the compiler the question of longer shifts.
#[inline(always)]
fn bits() -> u32 {
    RING_BITS.load() & 31
}

/// The write side of one CPU's ring.
#[repr(C)]
pub(crate) struct RingWriter {
    /// The index in `RECORDS` of the current record, plus one. It is zero before the first packet.
    current: u64,
    /// The number of records handed to the reader since loading.
    written: u64,
}

impl RingWriter {
    /// Returns the current record, all zero, to write a packet into. Whether the reader gets it is decided later.
    #[inline(always)]
    pub(crate) fn record(&mut self) -> Option<&'static mut Record> {
        if self.current == 0 {
            // SAFETY: the helper has no arguments.
            let cpu = unsafe { bpf_get_smp_processor_id() };
            self.current = 1 + u64::from(cpu << bits());
        }
        let record = RECORDS.get_ptr_mut((self.current - 1) as u32)?;
        clear(record);
        // SAFETY: the record belongs to this CPU, and user space does not read it before it is handed over. Every byte
        // pattern is a record.
        Some(unsafe { &mut *record })
    }

    /// Returns the number of this CPU.
    #[inline(always)]
    pub(crate) fn cpu(&self) -> u32 {
        (self.current - 1) as u32 >> bits()
    }

    /// Returns the indexes of this CPU's ring, or `None` if the loader has not sized the map.
    #[inline(always)]
    pub(crate) fn indexes(&self) -> Option<*mut RingIndexes> {
        RING_INDEXES.get_ptr_mut(self.cpu())
    }

    /// Returns the number of records that the reader has not read yet.
    #[inline(always)]
    pub(crate) fn unread(&self, indexes: *const RingIndexes) -> u32 {
        // SAFETY: a value of the map. Volatile, because user space writes it.
        let read = unsafe { ptr::read_volatile(&raw const (*indexes).read) };
        self.written.wrapping_sub(read) as u32
    }

    /// Hands the current record to the reader and moves on to the next one, which has to be free.
    #[inline(always)]
    pub(crate) fn hand_over(&mut self, indexes: *mut RingIndexes) {
        self.written += 1;
        // SAFETY: a value of the map. An atomic exchange, because no CPU moves an earlier write behind it.
        unsafe {
            asm!(
                "{written} = xchg_64({indexes} + 0, {written})",
                written = inout(reg) self.written => _,
                indexes = in(reg) &raw mut (*indexes).written,
                options(nostack),
            );
        }
        let within = u64::from(length() - 1);
        self.current = 1 + ((self.current - 1) & !within | self.written & within);
    }
}

/// Sets a record to zero word by word: for a loop over bytes the compiler would emit a call.
#[inline(always)]
fn clear(record: *mut Record) {
    for word in 0..RECORD_WORDS {
        // SAFETY: within the record, which is aligned to 8 and has no padding. Volatile keeps it a word.
        unsafe { record.cast::<u64>().add(word).write_volatile(0) }
    }
}
