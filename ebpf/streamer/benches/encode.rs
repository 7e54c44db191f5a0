//! Rows a second on one core, from the bytes of the ring to line protocol.
//!
//! `cargo bench -p xdp-streamer --bench encode`

use packet_record::{Flags, Record};
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use xdp_streamer::packet::Packet;
use xdp_streamer::privacy::Privacy;
use xdp_streamer::row::{Encoder, Encoding, Origin, PacketDetails, UniqueTime};

/// Records of one batch.
const BATCH: usize = 2520;
const BATCHES: usize = 200;
const RUNS: usize = 7;

fn main() {
    let vendors: [[u8; 3]; 4] = [[0, 0x11, 0x32], [0x2c, 0xcf, 0x67], [0xb8, 0x27, 0xeb], [2, 0x42, 0xac]];
    let udp = Record {
        source_address: [172, 16, 10, 208, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        destination_address: [239, 255, 255, 250, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        destination_mac: [1, 0, 0x5e, 0x7f, 0xff, 0xfa],
        frame_length: 143,
        network_length: 129,
        ratio: 1,
        ethertype: 0x0800,
        source_port: 50085,
        destination_port: 1900,
        flags: Flags::PORTS | Flags::MULTICAST,
        version: 4,
        hop_limit: 1,
        protocol: 17,
        ..Record::default()
    };
    let tcp = Record { protocol: 6, tcp_flags: 0x18, hop_limit: 64, destination_port: 443, ..udp };
    let address = [0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1];
    let ipv6 = Record {
        version: 6,
        ethertype: 0x86dd,
        source_address: address,
        destination_address: address,
        ..tcp
    };

    for (name, kinds) in
        [("IPv4", &[udp, tcp][..]), ("IPv6", &[ipv6]), ("IPv4 and IPv6, 3:1", &[udp, tcp, udp, ipv6])]
    {
        let records: Vec<[u8; 96]> = (0..BATCH)
            .map(|at| {
                let mut record = kinds[at % kinds.len()];
                record.time = at as u64 * 1000;
                record.source_mac[..3].copy_from_slice(&vendors[at / 4 % 4]);
                record.source_port = record.source_port.wrapping_add(u16::try_from(at).unwrap_or(0));
                *record.as_bytes()
            })
            .collect();
        let mut rates: Vec<f64> = (0..RUNS).map(|_| measure(&records)).collect();
        rates.sort_by(f64::total_cmp);
        println!(
            "{name}: {:.2} million rows/s (median of {RUNS}; {:.2} to {:.2})",
            rates[RUNS / 2],
            rates[0],
            rates[RUNS - 1]
        );
    }
}

/// Returns millions of rows a second of processor time.
fn measure(records: &[[u8; 96]]) -> f64 {
    let origin = Origin::new("rk1-01", "end0");
    let privacy = Privacy::default();
    let mut times = UniqueTime::new(&origin);
    let mut encoder = Encoder::new(Encoding::Line);
    // The processor time of this thread, so that other programs do not count.
    let start = clock_gettime(ClockId::ThreadCPUTime);
    for _ in 0..BATCHES {
        for bytes in black_box(records) {
            let Some(record) = Record::from_bytes(bytes) else { continue };
            let mut packet = Packet::from(&record);
            privacy.apply(&mut packet);
            let time = times.assign(1_716_570_245_123_456_789_i64);
            encoder.encode(&PacketDetails { time, packet: &packet, origin: &origin });
        }
        encoder.clear();
        black_box(&encoder);
    }
    let end = clock_gettime(ClockId::ThreadCPUTime);
    let nanoseconds = (end.tv_sec - start.tv_sec) * 1_000_000_000 + end.tv_nsec - start.tv_nsec;
    let rows = u32::try_from(records.len() * BATCHES).unwrap_or(u32::MAX);
    f64::from(rows) * 1000.0 / f64::from(u32::try_from(nanoseconds).unwrap_or(u32::MAX))
}
