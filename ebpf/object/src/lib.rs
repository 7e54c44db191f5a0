//! The packet program, built. `ebpf/build-object` rebuilds it; a test fails when it is older than its sources.
#![no_std]

/// An ELF reader wants its headers aligned.
#[repr(C, align(8))]
struct Aligned<Bytes: ?Sized>(Bytes);

static ALIGNED: &Aligned<[u8]> = &Aligned(*include_bytes!("../packet-program.o"));

/// The object file, for `aya::EbpfLoader::load`. Names and meaning of its programs and maps: crate `packet-record`.
pub static PROGRAM: &[u8] = &ALIGNED.0;
