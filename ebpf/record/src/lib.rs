//! What the packet program (kernel) and xdp-streamer (user space) share: the layout of every map and its meaning.
//!
//! One program object is loaded for each watched interface, so every map belongs to one interface.
//!
//! | map | kind | holds |
//! |---|---|---|
//! | [`map::RECORDS`] | array, mapped | a ring for each CPU: a [`Record`] for each packet shown |
//! | [`map::POSITIONS`] | array, mapped, 1 entry a CPU | [`Position`]: how far that ring is written and read |
//! | [`map::CPU`] | per-CPU array, 1 entry | [`Cpu`], in it [`Counters`]: every packet, exactly |
//! | [`map::CONTROL`] | array, 1 entry: the program's variables | [`Control`]: what user space asks for, at any time |
//! | [`map::FLOWS`] | per-CPU hash | [`FlowKey`] -> [`Traffic`], if loaded with [`global::FLOWS`] |
//!
//! # What happens to a packet
//!
//! Every packet that reaches the program is counted in [`Counters::seen`] and in exactly one of four outcomes:
//!
//! `seen().packets = shown + sampled_out + lost + own.packets`
//!
//! * `own`: TCP between this host and one of [`Control::own`]: never shown, never sampled, in no flow;
//! * `sampled_out`: not chosen (see [`Control::ratio`]);
//! * `shown`: chosen, and its record is in the ring;
//! * `lost`: chosen, but the ring was full.
//!
//! A packet whose headers are broken or cut short is a packet like any other: it is shown with the fields up to
//! the fault and counted in [`Counters::malformed`] *as well*. Nothing is dropped: the program always passes.
//!
//! # Waking up
//!
//! The program wakes nobody: the reader has to look at the ring on a timer.
#![no_std]

mod control;
mod counters;
mod flow;
mod packet;
mod ring;

pub use control::{Control, Endpoint, MAX_OWN};
pub use counters::{Counters, Cpu, MEMORY_WORDS, PROTOCOLS, Protocol, Traffic};
pub use flow::FlowKey;
pub use packet::{Fault, Flags, Record};
pub use ring::Position;

/// The program names in the object.
pub mod program {
    /// XDP in the driver's mode, multi-buffer aware (kernel 5.18 or newer). Always returns `XDP_PASS`.
    pub const XDP: &str = "packet_xdp";
    /// XDP in the kernel's generic mode: the same, but not multi-buffer aware. For a program that is, kernels since 6.9
    /// replace most packets by copies that do not know how long their Ethernet header is (`skb_pp_cow_data` and
    /// `mac_len`), and every TCX program behind it, such as Cilium's, takes the IP header for the Ethernet header.
    pub const XDP_GENERIC: &str = "packet_generic";
    /// Classifier for TCX or clsact ingress. Always returns `TCX_NEXT` (-1): the next program decides.
    pub const TCX: &str = "packet_tcx";
}

/// The map names in the object.
pub mod map {
    /// Array of [`Record`](crate::Record), which the loader gives `1 << ring_bits` entries for each possible CPU:
    /// [`global::RING_BITS`](crate::global::RING_BITS).
    pub const RECORDS: &str = "RECORDS";
    /// Array with one [`Position`](crate::Position) for each possible CPU, sized by the loader too.
    pub const POSITIONS: &str = "POSITIONS";
    /// Per-CPU array with one [`Cpu`](crate::Cpu) at index 0. Sum its counters over the CPUs.
    pub const CPU: &str = "CPU";
    /// Array with one [`Control`](crate::Control) at index 0. All zero after loading: nothing is shown. It is the
    /// object's section of variables, to which the program has the address without a look-up.
    pub const CONTROL: &str = ".bss";
    /// Per-CPU hash from [`FlowKey`](crate::FlowKey) to [`Traffic`](crate::Traffic): 4096 flows unless resized.
    /// Empty when [`global::FLOWS`](crate::global::FLOWS) is 0.
    pub const FLOWS: &str = "FLOWS";
}

/// Read-only globals, set before loading (`EbpfLoader::override_global`); the verifier removes what they switch off.
pub mod global {
    /// `u8`: 1 to aggregate flows into [`map::FLOWS`](crate::map::FLOWS), 0 (the default) not to.
    pub const FLOWS: &str = "FLOWS_ENABLED";
    /// `u32`, below 32: the binary logarithm of how many records each CPU has in
    /// [`map::RECORDS`](crate::map::RECORDS).
    pub const RING_BITS: &str = "RING_BITS";
}

#[cfg(feature = "user")]
mod pod {
    // SAFETY: each type is `repr(C)`, made of integers and arrays of them only, without padding (checked by the
    // layout tests beside each type), so every byte pattern is a value and every byte is initialised.
    unsafe impl aya::Pod for crate::Control {}
    // SAFETY: as above.
    unsafe impl aya::Pod for crate::Cpu {}
    // SAFETY: as above.
    unsafe impl aya::Pod for crate::FlowKey {}
    // SAFETY: as above.
    unsafe impl aya::Pod for crate::Traffic {}
}
