//! Barriers without instructions: what the verifier and the compiler may not know.

/// Makes the verifier forget what the program knows about the values that it has stored in maps.
///
/// The assembly is empty, but the compiler has to assume that it writes memory. It therefore loads each later field of
/// a record again from the map instead of keeping it in a register. The verifier does not track what is stored in map
/// memory: a load from it gives an unknown value (`check_mem_access` in kernel/bpf/verifier.c marks the register as
/// unknown for `PTR_TO_MAP_VALUE`). All paths through the parser have then the same state, and `states_equal` prunes
/// them. Without this barrier the verifier would walk the rest of the program once for each path through the parser,
/// and reach its limit of a million instructions.
#[inline(always)]
pub(crate) fn hide_from_verifier() {
    // SAFETY: there is no instruction.
    unsafe { core::arch::asm!("", options(nostack)) };
}

/// Returns the same pointer, of which the compiler no longer knows where it points to.
///
/// User space writes the memory behind it, and the compiler, which sees no write, would take the initial zeros for
/// constants.
#[inline(always)]
pub(crate) fn hide_from_compiler<T>(mut pointer: *const T) -> *const T {
    // SAFETY: there is no instruction; the comment gives the compiler a use of the register.
    unsafe { core::arch::asm!("/* {} */", inout(reg) pointer, options(nomem, nostack, preserves_flags)) };
    pointer
}

/// Returns the same number, of which the compiler no longer knows how it was computed.
#[inline(always)]
pub(crate) fn hide_value_from_compiler(mut value: usize) -> usize {
    // SAFETY: as in `hide_from_compiler`.
    unsafe { core::arch::asm!("/* {} */", inout(reg) value, options(nomem, nostack, preserves_flags)) };
    value
}
