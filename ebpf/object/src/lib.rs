//! The built packet program. `ebpf/build-object` rebuilds it; a test fails when it is older than its sources.
#![no_std]

/// Bytes with the alignment that ELF readers expect.
#[repr(C, align(8))]
struct Aligned<Bytes: ?Sized>(Bytes);

static ALIGNED_PROGRAM: &Aligned<[u8]> = &Aligned(*include_bytes!("../packet-program.o"));
static ALIGNED_COMPARISON: &Aligned<[u8]> = &Aligned(*include_bytes!("../packet-comparison.o"));

/// The object file for `aya::EbpfLoader::load`. The crate `packet-record` has the names and meaning of its programs and
/// maps.
pub static PROGRAM: &[u8] = &ALIGNED_PROGRAM.0;

/// The object file with the programs for benchmarks and tests: see `ebpf/program/src/comparison.rs`.
pub static COMPARISON: &[u8] = &ALIGNED_COMPARISON.0;
