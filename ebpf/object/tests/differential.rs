//! A million random and mutated packets: the kernel's records equal those built from etherparse's headers.
#![allow(clippy::cast_possible_truncation, reason = "packets of tests are short")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in the functions that it calls")]

mod loaded;
mod mutation;
mod packets;
mod reference;

use std::collections::BTreeMap;

use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};
use loaded::{Hook, Loaded, control};
use mutation::Random;
use packet_record::{Fault, Flags, Record};

const BY_XDP: usize = 1_000_000;
const BY_TCX: usize = 100_000;
const ON_HOST: usize = 1_000_000;
/// Names the number of packets in each test where a million takes too long: in an emulated machine.
const FEWER: &str = "DIFFERENTIAL_PACKETS";
/// Less than half of what the ring holds, because above that the program shows fewer.
const BATCH: usize = 5_000;
const RING_BITS: u32 = 14;

/// Returns `count`, or the smaller number that the environment asks for.
fn at_most(count: usize) -> usize {
    std::env::var(FEWER).map_or(count, |fewer| fewer.parse::<usize>().unwrap().min(count))
}

fn on_host(packet: &[u8]) -> Record {
    let mut record = Record { frame_length: packet.len() as u32, ..Record::default() };
    packet_parser::parse(packet, &mut record);
    Record { ratio: 1, ..record }
}

/// Checks that the ports that etherparse finds in the whole packet by itself are those of the record.
///
/// Differences between the two: etherparse reads a third tag, an authentication header under IPv4, and the version that
/// the header says; it does not read first fragments.
fn agrees_with_the_whole(packet: &[u8], record: &Record) {
    let Ok(sliced) = LaxSlicedPacket::from_ethernet(packet) else {
        return assert!(record.fault().is_some());
    };
    let tags = sliced.link_exts.len();
    let reads_the_same = tags <= 2
        && match &sliced.net {
            // It also ignores a total length that ends inside the header.
            Some(LaxNetSlice::Ipv4(ip)) => {
                record.version == 4
                    && record.fault() != Some(Fault::Ipv4TotalLength)
                    && ip.extensions().auth.is_none()
            }
            Some(LaxNetSlice::Ipv6(_)) => record.version == 6,
            _ => false,
        };
    if !reads_the_same {
        return;
    }
    let found = match &sliced.transport {
        Some(TransportSlice::Tcp(tcp)) => Some((tcp.source_port(), tcp.destination_port())),
        Some(TransportSlice::Udp(udp)) => Some((udp.source_port(), udp.destination_port())),
        _ => None,
    };
    if let Some(ports) = found {
        assert_eq!((record.source_port, record.destination_port), ports, "{packet:02x?}");
        assert!(record.flags.contains(Flags::PORTS), "{packet:02x?}");
    }
}

#[test]
fn on_the_host() {
    let seeds = mutation::seeds();
    let mut random = Random::new(0x5eed);
    // Proves that the packets are varied.
    let mut seen = BTreeMap::<(u8, u8), usize>::new();
    for _ in 0..at_most(ON_HOST) {
        let packet = mutation::packet(&seeds, &mut random);
        let record = on_host(&packet);
        assert_eq!(record, reference::record(&packet), "{packet:02x?}");
        agrees_with_the_whole(&packet, &record);
        *seen.entry((record.class, record.fault)).or_default() += 1;
    }
    let classes: Vec<u8> = (0..13).filter(|class| !seen.contains_key(&(*class, 0))).collect();
    assert_eq!(classes, [0; 0], "no whole packet of these classes");
    let faults: Vec<u8> = (2..14).filter(|fault| !seen.keys().any(|(_, met)| met == fault)).collect();
    assert_eq!(faults, [0; 0], "no packet with these faults");
}

fn in_the_kernel(hook: Hook, count: usize, seed: u64, cpu: usize) {
    loaded::stay_on(cpu);
    let seeds = mutation::seeds();
    let mut random = Random::new(seed);
    let (program, mut ring) = Loaded::new(hook, false, RING_BITS, control(1)).unwrap();
    let mut done = 0;
    while done < count {
        let batch: Vec<Vec<u8>> = (0..BATCH)
            .map(|_| mutation::packet(&seeds, &mut random))
            .filter(|packet| packet.len() >= hook.shortest(packet))
            .collect();
        for packet in &batch {
            program.run(packet, 1).unwrap();
        }
        let records = ring.records();
        assert_eq!(records.len(), batch.len());
        for (packet, record) in batch.iter().zip(records) {
            assert_eq!(record, reference::record(packet), "{packet:02x?}");
        }
        done += batch.len();
    }
    let counters = program.counters().unwrap();
    assert!(counters.balanced(), "{counters:?}");
    assert_eq!((counters.seen().packets, counters.shown), (done as u64, done as u64));
}

#[test]
fn in_the_kernel_by_xdp() {
    if loaded::may_load("a million packets in the kernel") {
        in_the_kernel(Hook::Xdp, at_most(BY_XDP), 1, 0);
    }
}

#[test]
fn in_the_kernel_by_tcx() {
    if loaded::may_load("packets in the kernel by TCX") {
        in_the_kernel(Hook::Tcx, at_most(BY_TCX), 2, 1);
    }
}
