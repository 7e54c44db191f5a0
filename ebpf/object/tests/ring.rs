//! The ring between the program and its reader.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in the functions that it calls")]

mod loaded;
mod packets;

use std::thread;
use std::time::Duration;

use loaded::{Hook, Loaded, control};
use packets::{IPV4, Ipv4, ethernet, udp};

/// The longest tick of a kernel: 100 a second.
const LONGEST_TICK: Duration = Duration::from_millis(10);

fn numbered(number: u16) -> Vec<u8> {
    ethernet(IPV4, &Ipv4::of(17).before(&udp(number, 9, b"numbered")))
}

fn numbers(ring: &mut packet_ring::Ring, limit: usize) -> Vec<u16> {
    let mut numbers = Vec::new();
    let count = ring.read(limit, |record| numbers.push(record.source_port));
    assert_eq!(count, numbers.len());
    numbers
}

/// The ring wraps around many times, in readings of every size.
#[test]
fn wraps_around() {
    /// Half of 32, because above that the program shows fewer.
    const MOST: u16 = 16;
    if !loaded::may_load("a ring used many times over") {
        return;
    }
    loaded::stay_on(0);
    let (program, mut ring) = Loaded::new(Hook::Xdp, false, 5, control(1)).unwrap();
    let mut next = 0;
    for round in 0..1000 {
        let first = next;
        for _ in 0..=round % MOST {
            program.run(&numbered(next), 1).unwrap();
            next += 1;
        }
        assert_eq!(numbers(&mut ring.0, usize::MAX), (first..next).collect::<Vec<_>>());
    }
    assert!(numbers(&mut ring.0, usize::MAX).is_empty());
    assert_eq!(program.counters().unwrap().shown, u64::from(next));
}

#[test]
fn a_reading_stops_at_its_limit() {
    if !loaded::may_load("a reading with a limit") {
        return;
    }
    loaded::stay_on(0);
    let (program, mut ring) = Loaded::new(Hook::Xdp, false, 5, control(1)).unwrap();
    for number in 0..10 {
        program.run(&numbered(number), 1).unwrap();
    }
    assert!(numbers(&mut ring.0, 0).is_empty());
    assert_eq!(numbers(&mut ring.0, 3), [0, 1, 2]);
    program.run(&numbered(10), 1).unwrap();
    assert_eq!(numbers(&mut ring.0, usize::MAX), (3..=10).collect::<Vec<_>>());
}

/// Each CPU has a ring of its own, but records are read in the order of their time.
#[test]
fn cpus_are_merged_by_time() {
    if !loaded::may_load("the rings of several CPUs") {
        return;
    }
    let cpus = thread::available_parallelism().unwrap().get();
    if cpus < 2 {
        return loaded::skipped("the rings of several CPUs", "there is one CPU");
    }
    let (program, mut ring) = Loaded::new(Hook::Xdp, false, 5, control(1)).unwrap();
    for number in 0..20 {
        loaded::stay_on(usize::from(number) % 2);
        program.run(&numbered(number), 1).unwrap();
        // Packets of one tick have the same time.
        thread::sleep(2 * LONGEST_TICK);
    }
    assert_eq!(numbers(&mut ring.0, usize::MAX), (0..20).collect::<Vec<_>>());
}

/// While the program writes and the reader reads, no record is torn, read twice or left out.
#[test]
fn is_read_while_it_is_written() {
    const PACKETS: u16 = 50_000;
    if !loaded::may_load("a ring read while it is written") {
        return;
    }
    let (program, mut ring) = Loaded::new(Hook::Xdp, false, 5, control(1)).unwrap();
    thread::scope(|scope| {
        let sender = scope.spawn(|| {
            loaded::stay_on(0);
            for number in 0..PACKETS {
                // The port, the addresses and the length all encode the packet's number.
                let mut packet = numbered(number);
                packet[26..28].copy_from_slice(&number.to_be_bytes());
                packet[30..32].copy_from_slice(&number.to_be_bytes());
                packet.resize(60 + usize::from(number % 1000), 0);
                program.run(&packet, 1).unwrap();
            }
        });
        loaded::stay_on(1);
        let (mut last, mut count) = (None, 0);
        loop {
            let done = sender.is_finished();
            ring.0.read(usize::MAX, |record| {
                let number = record.source_port;
                assert_eq!(record.source_address[..2], number.to_be_bytes());
                assert_eq!(record.destination_address[..2], number.to_be_bytes());
                assert_eq!(record.frame_length, 60 + u32::from(number % 1000));
                assert!(last < Some(number), "{number} after {last:?}");
                last = Some(number);
                count += 1;
            });
            if done {
                break;
            }
        }
        let counters = program.counters().unwrap();
        assert!(counters.balanced(), "{counters:?}");
        assert_eq!((counters.seen().packets, counters.shown), (u64::from(PACKETS), count));
        assert!(count > 1000, "{counters:?}");
    });
}
