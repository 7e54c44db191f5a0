//! The program's side of the ring of records. `packet_record::RingIndexes` explains the protocol.

use core::arch::asm;
use core::hint::cold_path;
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

/// Whether the processors write in the order of the program, as on x86. Then an ordinary write hands a record over. An
/// exchange would wait there for the cache lines of the record, which the reader's processor has.
#[unsafe(no_mangle)]
static STORES_IN_ORDER: Global<u8> = Global::new(0);

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
    /// The number of this CPU, plus one. It is zero before the first packet.
    cpu: u64,
    /// The number of records handed to the reader since loading.
    written: u64,
}

impl RingWriter {
    /// Returns the number of this CPU.
    #[inline(always)]
    pub(crate) fn cpu(&mut self) -> u32 {
        if self.cpu == 0 {
            cold_path();
            // SAFETY: the helper has no arguments.
            self.cpu = 1 + u64::from(unsafe { bpf_get_smp_processor_id() });
        }
        (self.cpu - 1) as u32
    }

    /// Returns the indexes of this CPU's ring, or `None` if the loader has not sized the map.
    #[inline(always)]
    pub(crate) fn indexes(&mut self) -> Option<*mut RingIndexes> {
        RING_INDEXES.get_ptr_mut(self.cpu())
    }

    /// Returns the number of records that the reader has not read yet.
    #[inline(always)]
    pub(crate) fn unread(&self, indexes: *const RingIndexes) -> u32 {
        // SAFETY: a value of the map. Volatile, because user space writes it.
        let read = unsafe { ptr::read_volatile(&raw const (*indexes).read) };
        self.written.wrapping_sub(read) as u32
    }

    /// Copies a record into the ring and hands it to the reader. Its place has to be free. Returns whether the loader has sized
    /// the map.
    #[inline(always)]
    pub(crate) fn hand_over(&mut self, record: &Record, indexes: *mut RingIndexes) -> bool {
        let within = self.written & u64::from(length() - 1);
        let Some(place) = RECORDS.get_ptr_mut(self.cpu() << bits() | within as u32) else { return false };
        copy(record, place);
        self.written += 1;
        // SAFETY: a value of the map.
        let index = unsafe { &raw mut (*indexes).written };
        if STORES_IN_ORDER.load() != 0 {
            // SAFETY: as above. Volatile, so that the compiler keeps the order too.
            unsafe { index.write_volatile(self.written) };
        } else {
            // SAFETY: as above. An atomic exchange, because no CPU moves an earlier write behind it.
            unsafe {
                asm!(
                    "{written} = xchg_64({index} + 0, {written})",
                    written = inout(reg) self.written => _,
                    index = in(reg) index,
                    options(nostack),
                );
            }
        }
        true
    }
}

/// Sets a record to zero word by word: for a loop over bytes the compiler would emit a call.
#[inline(always)]
pub(crate) fn clear(record: &mut Record) {
    for word in 0..RECORD_WORDS {
        // SAFETY: within the record, which is aligned to 8 and has no padding. Volatile keeps it a word.
        unsafe { ptr::from_mut(record).cast::<u64>().add(word).write_volatile(0) }
    }
}

/// Copies a record word by word.
#[inline(always)]
fn copy(from: &Record, to: *mut Record) {
    for word in 0..RECORD_WORDS {
        // SAFETY: within both records, which are aligned to 8. The place belongs to this CPU, and user space does not read it
        // before it is handed over.
        unsafe {
            let value = ptr::from_ref(from).cast::<u64>().add(word).read_volatile();
            to.cast::<u64>().add(word).write_volatile(value);
        }
    }
}
