//! Reading a record and writing its row allocates nothing: memory does not depend on the traffic.

use packet_record::{Flags, Record};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use xdp_streamer::packet::Packet;
use xdp_streamer::privacy::{Addresses, Privacy};
use xdp_streamer::row::{Encoder, Encoding, Origin, PacketDetails, UniqueTime};

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of the trait.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The only test of this program, because another one would allocate at the same time.
#[test]
fn a_row_allocates_nothing() {
    let udp = Record {
        source_address: [172, 16, 10, 208, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        source_mac: [0, 0x11, 0x32, 0xe5, 0x79, 0x5c],
        version: 4,
        protocol: 17,
        source_port: 50085,
        flags: Flags::PORTS,
        ratio: 1,
        ..Record::default()
    };
    let tcp_ipv6 = Record { source_address: [0x20; 16], version: 6, protocol: 6, tcp_flags: 0x1ff, ..udp };
    let lldp = Record { ethertype: 0x88cc, ratio: 7, ..Record::default() };
    let records = [udp, tcp_ipv6, lldp].map(|record| *record.as_bytes());
    let origin = Origin::new("rk1-01", "end0");
    let privacies = [Privacy::default(), Privacy { addresses: Addresses::Truncated, ..Privacy::default() }];

    for encoding in [Encoding::Line, Encoding::Json, Encoding::Table] {
        let mut encoder = Encoder::new(encoding);
        let mut times = UniqueTime::new(&origin);
        let mut round = |encoder: &mut Encoder| {
            for privacy in &privacies {
                for bytes in &records {
                    let mut packet = Packet::from(&Record::from_bytes(bytes).unwrap());
                    privacy.apply(&mut packet);
                    encoder.encode(&PacketDetails {
                        time: times.assign(0),
                        packet: &packet,
                        origin: &origin,
                    });
                }
            }
        };
        // The first rounds allocate the memory that later rounds use, as the first batches of a daemon do.
        (0..1000).for_each(|_| round(&mut encoder));
        encoder.clear();
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        (0..1000).for_each(|_| round(&mut encoder));
        assert_eq!(ALLOCATIONS.load(Ordering::Relaxed) - before, 0, "{encoding:?}");
        assert_eq!(encoder.batch().rows, 6000);
    }
}
