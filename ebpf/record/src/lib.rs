//! The interface between the packet program (kernel) and xdp-streamer (user space): the layout and meaning of each map.
//!
//! The program is loaded once for each watched interface, so each map belongs to one interface.
//!
//! | map | kind | holds |
//! |---|---|---|
//! | [`map::RECORDS`] | array, mapped | a ring for each CPU, with a [`Record`] for each packet shown |
//! | [`map::RING_INDEXES`] | array, mapped, 1 entry a CPU | [`RingIndexes`]: the ring's write and read index |
//! | [`map::CPU`] | per-CPU array, 1 entry | [`Cpu`], with the [`Counters`] of every packet |
//! | [`map::CONTROL`] | array, 1 entry: the program's variables | [`Control`]: settings, changed at any time |
//! | [`map::FLOWS`] | array | [`FlowSet`]: a table of flows for each CPU, if loaded with [`global::FLOWS`] |
//! | [`map::FILTER`] | array, 1 entry | [`Filter`]: the packets to show, if loaded with [`global::FILTER`] |
//!
//! # What happens to a packet
//!
//! Every packet that reaches the program is counted in [`Counters::seen`] and in exactly one of five outcomes:
//!
//! `seen().packets = shown + sampled_out + lost + filtered_out + self_traffic.packets`
//!
//! * `self_traffic`: TCP between this host and one of [`Control::push_targets`]; never shown, never sampled, in no flow;
//! * `filtered_out`: the filter rejected the packet; never shown, in no flow;
//! * `sampled_out`: the sampling did not choose the packet (see [`Control::ratio`]);
//! * `shown`: the packet was chosen, and its record is in the ring;
//! * `lost`: the packet was chosen, but the ring was full.
//!
//! A packet with broken or truncated headers is treated like any other: it is shown with the fields up to the fault, and
//! counted in [`Counters::malformed`] *as well*. The program never drops a packet.
//!
//! The program never wakes the reader. The reader polls the ring on a timer.
#![no_std]

mod capture;
mod control;
mod counters;
mod filter;
mod flow;
mod packet;
mod ring;

pub use capture::{CAPTURE_HEAD, CaptureHead};
pub use control::{Control, Endpoint, MAX_PUSH_TARGETS};
pub use counters::{Counters, Cpu, MEMORY_WORDS, PROTOCOLS, Protocol, Traffic};
pub use filter::{ACCEPT, Comparison, Filter, FilterTest, MAX_FILTER_TESTS, REJECT};
pub use flow::{FLOW_SET_BITS, FLOW_WAYS, FlowEntry, FlowKey, FlowSet};
pub use packet::{Fault, Flags, Record};
pub use ring::RingIndexes;

/// The names of the programs in the object.
pub mod program {
    /// XDP in driver mode, aware of packets in several buffers. Always returns `XDP_PASS`.
    pub const XDP: &str = "packet_xdp";
    /// XDP in generic mode: the same, but not aware of packets in several buffers. For a program that is, kernels since
    /// 6.9 replace most packets by copies with a wrong length of the Ethernet header (`skb_pp_cow_data` does not keep
    /// `mac_len`), and every TCX program behind it, such as Cilium's, takes the IP header for the Ethernet header.
    pub const XDP_GENERIC: &str = "packet_generic";
    /// A classifier for TCX ingress. Always returns `TCX_NEXT` (-1), so that the next program decides.
    pub const TCX: &str = "packet_tcx";
    /// A classifier for TCX egress: the same, but its records have [`Flags::SENT`](crate::Flags::SENT).
    pub const TCX_EGRESS: &str = "packet_tcx_egress";
}

/// The names of the maps in the object.
pub mod map {
    /// Array of [`Record`](crate::Record). The loader gives it `1 << ring_bits` entries for each possible CPU: see
    /// [`global::RING_BITS`](crate::global::RING_BITS).
    pub const RECORDS: &str = "RECORDS";
    /// Array with one [`RingIndexes`](crate::RingIndexes) for each possible CPU. The loader sizes it too.
    pub const RING_INDEXES: &str = "RING_INDEXES";
    /// Per-CPU array with one [`Cpu`](crate::Cpu) at index 0. Sum its counters over the CPUs.
    pub const CPU: &str = "CPU";
    /// Array with one [`Control`](crate::Control) at index 0. It is all zero after loading, so nothing is shown. It is the
    /// object's section of variables: the program has its address without a look-up.
    pub const CONTROL: &str = ".bss";
    /// Array of [`FlowSet`](crate::FlowSet), to which the loader gives `1 << FLOW_SET_BITS` entries for each possible CPU if
    /// [`global::FLOWS`](crate::global::FLOWS) is 1.
    pub const FLOWS: &str = "FLOWS";
    /// Array with one [`Filter`](crate::Filter) at index 0.
    pub const FILTER: &str = "FILTER";
    /// Perf event array: a [`CaptureHead`](crate::CaptureHead) and the bytes of each packet shown, if loaded with
    /// [`global::SNAPLEN`](crate::global::SNAPLEN). An event that finds its CPU's buffer full is lost.
    pub const PACKETS: &str = "PACKETS";
}

/// Read-only globals, which are set before loading (`EbpfLoader::override_global`). The verifier removes code that they
/// switch off.
pub mod global {
    /// `u8`: 1 aggregates flows into [`map::FLOWS`](crate::map::FLOWS), 0 (the default) does not.
    pub const FLOWS: &str = "FLOWS_ENABLED";
    /// `u64`: the seed of the hash that spreads flows over the table. A random number, so that nobody can choose flows that
    /// compete for one place.
    pub const FLOW_SEED: &str = "FLOW_SEED";
    /// `u8`: 1 shows only packets that [`map::FILTER`](crate::map::FILTER) accepts, 0 (the default) does not filter.
    pub const FILTER: &str = "FILTER_ENABLED";
    /// `u8`: 1 if packets of the interface begin with the IP header, 0 (the default) if with an Ethernet header. Only the
    /// TCX programs read it.
    pub const NO_ETHERNET: &str = "NO_ETHERNET";
    /// `u32`, below 32: the binary logarithm of the number of records that each CPU has in
    /// [`map::RECORDS`](crate::map::RECORDS).
    pub const RING_BITS: &str = "RING_BITS";
    /// `u8`: 1 if the processors write in the order of the program, as on x86, 0 (the default) if not.
    pub const STORES_IN_ORDER: &str = "STORES_IN_ORDER";
    /// `u32`: how many bytes of each packet shown are copied to [`map::PACKETS`](crate::map::PACKETS); 0 (the default) for
    /// none.
    pub const SNAPLEN: &str = "SNAPLEN";
}

#[cfg(feature = "user")]
mod pod {
    // SAFETY: each type is `repr(C)` and consists of integers and arrays of integers without padding, which the layout
    // tests beside each type check. So every byte pattern is a value and every byte is initialised.
    unsafe impl aya::Pod for crate::Control {}
    // SAFETY: as for `Control`.
    unsafe impl aya::Pod for crate::Cpu {}
    // SAFETY: as for `Control`.
    unsafe impl aya::Pod for crate::FlowSet {}
    // SAFETY: as for `Control`.
    unsafe impl aya::Pod for crate::Filter {}
}
