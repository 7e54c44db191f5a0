//! The packet program, built. `ebpf/build-object` rebuilds it; a test fails when it is older than its sources.
#![no_std]

/// An ELF reader wants its headers aligned.
#[repr(C, align(8))]
struct Aligned<Bytes: ?Sized>(Bytes);

static ALIGNED_PROGRAM: &Aligned<[u8]> = &Aligned(*include_bytes!("../packet-program.o"));
static ALIGNED_COMPARISON: &Aligned<[u8]> = &Aligned(*include_bytes!("../packet-comparison.o"));

/// The object file, for `aya::EbpfLoader::load`. Names and meaning of its programs and maps: crate `packet-record`.
pub static PROGRAM: &[u8] = &ALIGNED_PROGRAM.0;

/// For benchmarks: the XDP programs `empty`, `pause` (20 microseconds), and `pause_and_wake` with its ring `EVENTS`,
/// which after that pause reserves a record before it reads the packet and wakes the reader.
pub static COMPARISON: &[u8] = &ALIGNED_COMPARISON.0;
