//! Programs for benchmarks and tests.
//!
//! * `empty` and `empty_tcx` do nothing.
//! * `wake` does what many packet loggers do: it reserves a record before it reads the packet, and wakes the reader for
//!   each record.
//! * `pause_and_wake` does the same after a pause, because a wake-up costs most when the reader sleeps again before the
//!   next packet, and a test run leaves no time between packets. `pause` only pauses.
//! * `transmit` sends the packets of a test run through an interface, which is the fastest way to make a load.
//! * `bystander` notes what the packet program leaves for the programs behind it.
#![no_std]
#![no_main]

use aya_ebpf::Global;
use aya_ebpf::bindings::{TC_ACT_UNSPEC, xdp_action::XDP_PASS};
use aya_ebpf::helpers::{bpf_ktime_get_ns, bpf_redirect};
use aya_ebpf::macros::{classifier, map, xdp};
use aya_ebpf::maps::{Array, RingBuf};
use aya_ebpf::programs::{TcContext, XdpContext};

/// A record of 56 bytes.
#[repr(C)]
struct Details {
    source_mac: [u8; 6],
    destination_mac: [u8; 6],
    source_address: u32,
    destination_address: u32,
    protocol: u32,
    length: u32,
    ttl: u32,
    version: u32,
    source_port: u32,
    destination_port: u32,
    reserved: [u32; 3],
}

#[map]
static EVENTS: RingBuf = RingBuf::with_byte_size(256 * 1024, 0);

const ETHERNET: usize = 14;
const IPV4: usize = 20;
const UDP: usize = 8;

#[xdp]
pub fn empty(_context: XdpContext) -> u32 {
    XDP_PASS
}

#[classifier]
pub fn empty_tcx(_context: TcContext) -> i32 {
    TC_ACT_UNSPEC
}

/// The pause in nanoseconds, as between 50,000 packets a second.
const PAUSE: u64 = 20_000;
/// The number of looks at the clock in one pause. A look takes more than 10 ns, so these are enough.
const MOST_LOOKS: usize = 2_000;

#[inline(always)]
fn wait() {
    // SAFETY: the helper has no arguments.
    let now = || unsafe { bpf_ktime_get_ns() };
    let start = now();
    for _ in 0..MOST_LOOKS {
        if now() - start >= PAUSE {
            break;
        }
    }
}

#[xdp]
pub fn pause(_context: XdpContext) -> u32 {
    wait();
    XDP_PASS
}

#[xdp]
pub fn pause_and_wake(context: XdpContext) -> u32 {
    wait();
    record(&context)
}

#[xdp]
pub fn wake(context: XdpContext) -> u32 {
    record(&context)
}

/// The index of the interface that `transmit` sends through.
#[unsafe(no_mangle)]
static INTERFACE: Global<u32> = Global::new(0);

#[xdp]
pub fn transmit(_context: XdpContext) -> u32 {
    // SAFETY: the helper takes numbers only.
    unsafe { bpf_redirect(INTERFACE.load(), 0) as u32 }
}

/// The first bytes of the last packet, as a classifier behind the packet program found them.
#[map]
static BEGINNING: Array<[u8; ETHERNET]> = Array::with_max_entries(1, 0);

#[classifier]
pub fn bystander(context: TcContext) -> i32 {
    if let Some(beginning) = BEGINNING.get_ptr_mut(0)
        && context.data() + ETHERNET <= context.data_end()
    {
        // SAFETY: within the packet, and a value of the map.
        unsafe { *beginning = *(context.data() as *const [u8; ETHERNET]) }
    }
    TC_ACT_UNSPEC
}

#[inline(always)]
fn record(context: &XdpContext) -> u32 {
    let Some(mut entry) = EVENTS.reserve::<Details>(0) else {
        return XDP_PASS;
    };
    match details(context) {
        Some(details) => {
            entry.write(details);
            entry.submit(0);
        }
        None => entry.discard(0),
    }
    XDP_PASS
}

/// Reads a packet that is TCP or UDP over IPv4 without options.
#[inline(always)]
fn details(context: &XdpContext) -> Option<Details> {
    let start = context.data();
    if start + ETHERNET + IPV4 + UDP > context.data_end() {
        return None;
    }
    // SAFETY: within the packet.
    let packet = unsafe { &*(start as *const [u8; ETHERNET + IPV4 + UDP]) };
    let be16 = |at: usize| u32::from(u16::from_be_bytes([packet[at], packet[at + 1]]));
    let ne32 = |at: usize| u32::from_ne_bytes([packet[at], packet[at + 1], packet[at + 2], packet[at + 3]]);
    let protocol = u32::from(packet[ETHERNET + 9]);
    if be16(12) != 0x0800 || packet[ETHERNET] != 0x45 || !matches!(protocol, 6 | 17) {
        return None;
    }
    Some(Details {
        source_mac: [packet[6], packet[7], packet[8], packet[9], packet[10], packet[11]],
        destination_mac: [packet[0], packet[1], packet[2], packet[3], packet[4], packet[5]],
        source_address: ne32(ETHERNET + 12),
        destination_address: ne32(ETHERNET + 16),
        protocol,
        length: be16(ETHERNET + 2),
        ttl: u32::from(packet[ETHERNET + 8]),
        version: 4,
        source_port: be16(ETHERNET + IPV4),
        destination_port: be16(ETHERNET + IPV4 + 2),
        reserved: [0; 3],
    })
}

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
