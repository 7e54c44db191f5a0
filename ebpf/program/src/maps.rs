//! What a CPU keeps from packet to packet, and what user space asks for: maps that `packet-record` explains.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;

use aya_ebpf::macros::map;
use aya_ebpf::maps::PerCpuArray;
use packet_record::{Control, Counters, Cpu, MEMORY_WORDS};

use crate::clock::Clock;
use crate::flows::Making;
use crate::ring::Place;
use crate::sampling::Block;

#[map]
static CPU: PerCpuArray<Cpu> = PerCpuArray::with_max_entries(1, 0);

/// A variable of the program, which user space sees as a map. The kernel writes the address of its only copy into the
/// instructions, so it needs no look-up.
#[unsafe(no_mangle)]
static CONTROL: Shared = Shared(UnsafeCell::new(MaybeUninit::zeroed()));

#[repr(transparent)]
struct Shared(UnsafeCell<MaybeUninit<Control>>);

// SAFETY: only user space writes it, and each of its words may be read in the middle of that: see `Control`.
unsafe impl Sync for Shared {}

/// What a CPU remembers from packet to packet: [`Cpu::memory`].
#[repr(C)]
pub(crate) struct State {
    pub(crate) place: Place,
    pub(crate) cursor: u64,
    /// Room for an Ethernet header that is read apart.
    pub(crate) ethernet: [u8; 16],
    pub(crate) clock: Clock,
    pub(crate) block: Block,
    pub(crate) making: Making,
}

const _: () = assert!(size_of::<State>() == MEMORY_WORDS * size_of::<u64>());

/// What user space asks for.
#[inline(always)]
pub(crate) fn control() -> &'static Control {
    let mut control = CONTROL.0.get().cast::<Control>().cast_const();
    // SAFETY: no instruction. The compiler knows no longer whose address it is, and so not that nobody here writes it.
    unsafe { core::arch::asm!("/* {} */", inout(reg) control, options(nomem, nostack, preserves_flags)) };
    // SAFETY: always there, and zero is a value of it.
    unsafe { &*control }
}

/// This CPU's counters and state.
#[inline(always)]
pub(crate) fn cpu() -> Option<(&'static mut Counters, &'static mut State)> {
    // SAFETY: per CPU, and the program does not run twice at once on one: nothing else writes it. The two do not
    // overlap; the memory is as long as a `State`, and every value of its words is one.
    CPU.get_ptr_mut(0).map(|cpu| unsafe {
        // The compiler keeps words whole only where it knows that they are aligned.
        core::hint::assert_unchecked(cpu.is_aligned());
        (&mut (*cpu).counters, &mut *(&raw mut (*cpu).memory).cast::<State>())
    })
}
