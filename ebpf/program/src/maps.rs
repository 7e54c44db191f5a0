//! The state that each CPU keeps from packet to packet, and the settings of user space. `packet_record` explains the
//! maps.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;

use aya_ebpf::macros::map;
use aya_ebpf::maps::PerCpuArray;
use packet_record::{Control, Counters, Cpu, MEMORY_WORDS, Record};

use crate::barrier;
use crate::clock::CoarseClock;
use crate::filter::FilterState;
use crate::ring::RingWriter;
use crate::sampling::SampleGroup;

#[map]
static CPU: PerCpuArray<Cpu> = PerCpuArray::with_max_entries(1, 0);

/// A variable of the program that user space sees as a map. The kernel writes its address into the instructions, so
/// that the program needs no look-up.
#[unsafe(no_mangle)]
static CONTROL: Shared = Shared(UnsafeCell::new(MaybeUninit::zeroed()));

#[repr(transparent)]
struct Shared(UnsafeCell<MaybeUninit<Control>>);

// SAFETY: only user space writes it, and `Control` says what a read during a write may return.
unsafe impl Sync for Shared {}

/// What lies in `Cpu::memory`.
#[repr(C)]
struct CpuMemory {
    /// The record of the packet that is handled now. It is copied into the ring if it is shown. Writing it there directly would
    /// cost each packet a look-up and memory that is far from the counters: 2 to 3 ns (`ebpf/object/benches/live.rs`).
    record: Record,
    state: CpuState,
}

/// The state that a CPU keeps from packet to packet.
#[repr(C)]
pub(crate) struct CpuState {
    pub(crate) ring: RingWriter,
    /// A word through which values pass so that the verifier forgets them.
    pub(crate) verifier_scratch: u64,
    /// A buffer for an Ethernet header that lies before the packet's data.
    pub(crate) ethernet_header: [u8; 16],
    pub(crate) clock: CoarseClock,
    pub(crate) sampling: SampleGroup,
    /// The number of the last new flow.
    pub(crate) flow_number: u64,
    pub(crate) filter: FilterState,
}

const _: () = assert!(size_of::<CpuMemory>() == MEMORY_WORDS * size_of::<u64>());

/// Returns the settings of user space.
#[inline(always)]
pub(crate) fn control() -> &'static Control {
    let control = barrier::hide_from_compiler(CONTROL.0.get().cast::<Control>().cast_const());
    // SAFETY: the variable lives as long as the program, and zero is a valid value.
    unsafe { &*control }
}

/// Returns the counters and the state of this CPU, and a record to write a packet into. The record still has the values of the
/// packet before: `ring::clear` sets it to zero.
#[inline(always)]
pub(crate) fn cpu() -> Option<(&'static mut Counters, &'static mut CpuState, &'static mut Record)> {
    // SAFETY: the memory belongs to this CPU, and nothing else writes it, because the program never runs twice at once
    // on a CPU: it runs with softirqs disabled. A PREEMPT_RT kernel does not promise that, and the loader refuses one.
    // The references do not overlap; the memory is as long as a `CpuMemory`, and every byte pattern is a value.
    CPU.get_ptr_mut(0).map(|cpu| unsafe {
        // The compiler keeps words whole only where it knows that they are aligned.
        core::hint::assert_unchecked(cpu.is_aligned());
        let memory = (&raw mut (*cpu).memory).cast::<CpuMemory>();
        (&mut (*cpu).counters, &mut (*memory).state, &mut (*memory).record)
    })
}
