//! Every packet is accounted for, exactly.
#![allow(clippy::cast_possible_truncation, reason = "packets of tests are short")]

mod loaded;
mod mutation;
mod packets;

use std::net::SocketAddr;
use std::time::Duration;

use loaded::{Hook, Loaded, control};
use mutation::Random;
use packet_record::{Control, Counters, Flags, FlowKey, Protocol, Record, Traffic};
use packets::{HOST_MAC, IPV4, IPV6, Ipv4, ethernet, ethernet_to, ipv6, tcp, udp};

/// The bits of a ring with room for 31 records of each CPU.
const SMALL_RING: u32 = 5;
/// The bits of a ring with room for 131,071 records of each CPU.
const LARGE_RING: u32 = 17;
/// The longest tick of a kernel: 100 a second.
const LONGEST_TICK: Duration = Duration::from_millis(10);

fn traffic(packets: u64, packet: &[u8]) -> Traffic {
    Traffic { packets, bytes: packets * packet.len() as u64 }
}

fn numbered(number: u16) -> Vec<u8> {
    ethernet(IPV4, &Ipv4::of(17).before(&udp(number, 9, b"numbered")))
}

#[test]
fn a_full_ring_is_counted() {
    const PACKETS: u64 = 1_000_000;
    if !loaded::may_load("accounting of a full ring") {
        return;
    }
    loaded::stay_on(0);
    for hook in [Hook::Xdp, Hook::Tcx] {
        let (program, mut ring) = Loaded::new(hook, false, SMALL_RING, control(1)).unwrap();
        let packet = packets::ssdp();
        program.run(&packet, PACKETS as u32).unwrap();
        let room = (1 << SMALL_RING) - 1;
        let counters = program.counters().unwrap();
        let expected = Counters {
            shown: room as u64,
            lost: counters.lost,
            sampled_out: PACKETS - room as u64 - counters.lost,
            multicast: PACKETS,
            ..Counters::all_of(Protocol::UdpIpv4, traffic(PACKETS, &packet))
        };
        assert_eq!(counters, expected);
        assert!(counters.balanced() && counters.lost > 0, "{counters:?}");
        assert_eq!(ring.records().len(), room);

        // There is room again, from the next tick on at the latest.
        std::thread::sleep(LONGEST_TICK);
        program.run(&packet, 1).unwrap();
        let ratios: Vec<u32> = ring.records().iter().map(|record| record.ratio).collect();
        assert_eq!(ratios, [1]);
        assert_eq!(program.counters().unwrap().shown, room as u64 + 1);
    }
}

/// A burst that arrives before the reader looks is sampled and not lost: the fuller the ring, the fewer are shown.
#[test]
fn a_burst_is_sampled_before_the_ring_is_full() {
    const RING: u32 = 11;
    const PACKETS: u32 = 100_000;
    if !loaded::may_load("a burst after silence") {
        return;
    }
    loaded::stay_on(0);
    let half = 1 << (RING - 1);
    for asked in [1, 3] {
        let (program, mut ring) = Loaded::new(Hook::Xdp, false, RING, control(asked)).unwrap();
        program.run(&packets::ssdp(), PACKETS).unwrap();
        let counters = program.counters().unwrap();
        assert_eq!(counters.lost, 0, "{counters:?}");
        assert!(counters.balanced(), "{counters:?}");
        let ratios: Vec<u32> = ring.records().iter().map(|record| record.ratio).collect();
        assert_eq!(ratios.len() as u64, counters.shown);
        assert!(ratios.is_sorted(), "{ratios:?}");
        assert!(ratios[..half].iter().all(|ratio| *ratio == asked), "{ratios:?}");
        let steps: Vec<u32> = (0..=6).map(|step| asked << (2 * step)).collect();
        assert!(ratios.iter().all(|ratio| steps.contains(ratio)), "{ratios:?}");
        assert!(*ratios.last().unwrap() >= 16 * asked, "{ratios:?}");
        // The ratios on the records add up to the packets that were sent, except for the last group and the groups that
        // a tick cut short.
        let counted: f64 = ratios.iter().copied().map(f64::from).sum();
        let sent = f64::from(PACKETS);
        assert!((counted - sent).abs() < 0.25 * sent, "{counted} of {sent}");
    }
}

#[test]
fn sampling_shows_one_of_each_group() {
    if !loaded::may_load("sampling") {
        return;
    }
    loaded::stay_on(0);
    let (mut program, mut ring) = Loaded::new(Hook::Xdp, false, LARGE_RING, control(10)).unwrap();
    for number in 0..1000 {
        program.run(&numbered(number), 1).unwrap();
    }
    let shown: Vec<u16> = ring.records().iter().map(|record| record.source_port).collect();
    let groups: Vec<u16> = shown.iter().map(|number| number / 10).collect();
    assert_eq!(groups, (0..100).collect::<Vec<_>>(), "one of each ten");
    let positions: std::collections::BTreeSet<u16> = shown.iter().map(|number| number % 10).collect();
    // Fewer than six different positions happen less than once in 10^20 runs.
    assert!(positions.len() > 5, "always at the same positions: {positions:?}");
    let counters = program.counters().unwrap();
    assert_eq!((counters.shown, counters.sampled_out, counters.seen().packets), (100, 900, 1000));

    // A new ratio starts a new group, and its records carry it.
    program.run(&numbered(1), 3).unwrap();
    ring.records();
    program.set(control(4)).unwrap();
    program.run(&numbered(2), 8).unwrap();
    assert_eq!(ring.records().iter().map(|record| record.ratio).collect::<Vec<_>>(), [4, 4]);

    // 0 shows nothing, 1 everything.
    program.set(control(0)).unwrap();
    program.run(&numbered(3), 100).unwrap();
    assert_eq!(ring.records(), []);
    program.set(control(1)).unwrap();
    program.run(&numbered(4), 100).unwrap();
    assert_eq!(ring.records().len(), 100);
    let counters = program.counters().unwrap();
    assert!(counters.balanced(), "{counters:?}");
    assert_eq!(counters.seen().packets, 1000 + 3 + 8 + 100 + 100);
}

#[test]
fn nothing_is_shown_before_user_space_asks() {
    if !loaded::may_load("the state after loading") {
        return;
    }
    let (program, mut ring) = Loaded::new(Hook::Xdp, false, SMALL_RING, Control::default()).unwrap();
    program.run(&packets::tcp_ipv6(), 10).unwrap();
    assert_eq!(ring.records(), []);
    let counters = program.counters().unwrap();
    assert_eq!(
        (counters.sampled_out, counters.of(Protocol::TcpIpv6)),
        (10, traffic(10, &packets::tcp_ipv6()))
    );
}

#[test]
fn self_traffic_is_counted_and_not_shown() {
    if !loaded::may_load("self traffic") {
        return;
    }
    let mut control = Control { ratio: 1, ..Control::default() };
    let all: Vec<SocketAddr> = (0..7)
        .map(|last| SocketAddr::from(([198, 51, 100, last], 443)))
        .chain(["[2001:db8::1]:3000".parse().unwrap()])
        .collect();
    assert!(control.set_push_targets(all));
    let (program, mut ring) = Loaded::new(Hook::Xdp, true, LARGE_RING, control).unwrap();

    let from = |address: [u8; 4], source: u16, destination: u16| {
        let mut packet = ethernet(IPV4, &Ipv4::of(6).before(&tcp(source, destination, 0x5010, &[])));
        packet[26..30].copy_from_slice(&address);
        packet
    };
    let to = |address: [u8; 4], source: u16, destination: u16| {
        let mut packet = ethernet(IPV4, &Ipv4::of(6).before(&tcp(source, destination, 0x5010, &[])));
        packet[30..34].copy_from_slice(&address);
        packet
    };
    let six = ethernet(IPV6, &ipv6(6, &tcp(3000, 50000, 0x5010, &[])));
    let pushes = [from([198, 51, 100, 0], 443, 50000), to([198, 51, 100, 6], 50000, 443), six];
    let mut bytes = 0;
    for packet in &pushes {
        program.run(packet, 1).unwrap();
        bytes += packet.len() as u64;
    }
    assert_eq!(ring.records(), []);
    assert_eq!(program.flows().unwrap(), []);
    let counters = program.counters().unwrap();
    assert_eq!(counters.self_traffic, Traffic { packets: 3, bytes });
    assert_eq!(counters.seen(), counters.self_traffic);
    assert_eq!(counters.of(Protocol::TcpIpv4).packets + counters.of(Protocol::TcpIpv6).packets, 3);

    let udp_to_same = ethernet(IPV6, &ipv6(17, &udp(3000, 50000, &[])));
    let strangers = [from([198, 51, 100, 0], 444, 50000), from([198, 51, 100, 7], 443, 50000), udp_to_same];
    for packet in &strangers {
        program.run(packet, 1).unwrap();
    }
    assert_eq!(ring.records().len(), 3);
    let counters = program.counters().unwrap();
    assert!(counters.balanced(), "{counters:?}");
    assert_eq!((counters.self_traffic.packets, counters.shown), (3, 3));
}

/// The counters balance for any packets, at any ratio, with a ring that is too small.
#[test]
fn any_traffic_balances() {
    if !loaded::may_load("accounting of random packets") {
        return;
    }
    let seeds = mutation::seeds();
    let mut random = Random::new(3);
    let (mut program, mut ring) = Loaded::new(Hook::Xdp, true, SMALL_RING, control(1)).unwrap();
    let mut expected = Counters::default();
    let mut with_version = Traffic::default();
    let mut read = 0;
    for round in 0..20 {
        program.set(control([1, 0, 3, 100][round % 4])).unwrap();
        for _ in 0..500 {
            let packet = mutation::packet(&seeds, &mut random);
            let mut record = Record { frame_length: packet.len() as u32, ..Record::default() };
            packet_parser::parse(packet.as_slice(), &mut record);
            program.run(&packet, 1).unwrap();
            let sum = traffic(1, &packet);
            expected.protocols[usize::from(record.class)] += sum;
            if record.version != 0 {
                with_version += sum;
            }
            for (counter, counts) in [
                (&mut expected.malformed, record.fault != 0),
                (&mut expected.multicast, record.flags.contains(Flags::MULTICAST)),
                (&mut expected.broadcast, record.flags.contains(Flags::BROADCAST)),
            ] {
                *counter += u64::from(counts);
            }
        }
        read += ring.records().len() as u64;
    }
    let counters = program.counters().unwrap();
    assert!(counters.balanced(), "{counters:?}");
    assert_eq!(counters.shown, read);
    assert!(counters.sampled_out > 0, "{counters:?}");
    let Counters { shown, sampled_out, lost, .. } = counters;
    assert_eq!(counters, Counters { shown, sampled_out, lost, flows: with_version, ..expected });
    let in_table: u64 = program.flows().unwrap().iter().map(|(_, flow)| flow.packets).sum();
    assert!(in_table <= with_version.packets && in_table > with_version.packets / 2, "{in_table} packets");
}

#[test]
fn flows_hold_packets_and_bytes() {
    if !loaded::may_load("flows") {
        return;
    }
    let (program, _ring) = Loaded::new(Hook::Xdp, true, LARGE_RING, control(0)).unwrap();
    let (large, small) = (packets::ssdp(), packets::tcp_ipv6());
    program.run(&large, 70).unwrap();
    program.run(&small, 30).unwrap();
    // A packet that is not IP, and one that is truncated.
    program.run(&ethernet_to(HOST_MAC, 0x88cc, &[0; 46]), 5).unwrap();
    program.run(&large[..30], 5).unwrap();
    let udp = FlowKey {
        source_address: [172, 16, 10, 208, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        destination_address: [239, 255, 255, 250, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        source_port: 50085,
        destination_port: 1900,
        protocol: 17,
        version: 4,
        reserved: 0,
    };
    let tcp = FlowKey {
        source_address: packets::V6_SOURCE,
        destination_address: packets::V6_DESTINATION,
        source_port: 443,
        destination_port: 50000,
        protocol: 6,
        version: 6,
        reserved: 0,
    };
    assert_eq!(program.flows().unwrap(), [(udp, traffic(70, &large)), (tcp, traffic(30, &small))]);

    let (program, _ring) = Loaded::new(Hook::Xdp, false, LARGE_RING, control(0)).unwrap();
    program.run(&large, 10).unwrap();
    assert_eq!(program.flows().unwrap(), [], "switched off");
}

/// A port scan, one packet of each flow, and one flow with 1 % of all packets.
#[test]
fn a_scan_cannot_blind_the_flow_table() {
    const SCANNED: u32 = 100_000;
    if !loaded::may_load("flows under a scan") {
        return;
    }
    loaded::stay_on(0);
    let (program, _ring) = Loaded::new(Hook::Tcx, true, SMALL_RING, control(0)).unwrap();
    let talker = packets::tcp_ipv4();
    let mut probe = numbered(0);
    let mut sent = 0;
    for number in 0..SCANNED {
        probe[26..30].copy_from_slice(&number.to_be_bytes());
        program.run(&probe, 1).unwrap();
        // The talker begins when the table is full of the scan.
        if number >= SCANNED / 2 && number % 99 == 0 {
            program.run(&talker, 1).unwrap();
            sent += 1;
            if sent % 100 == 0 {
                let (key, largest) = program.flows().unwrap()[0];
                assert_eq!((key.source_port, key.destination_port), (443, 50000), "after {sent} packets");
                assert_eq!(largest, traffic(sent, &talker), "no packet of the talker is forgotten");
            }
        }
    }
    let flows = program.flows().unwrap();
    assert!(flows.len() <= 4096 && flows.len() > 3000, "{} flows", flows.len());
    assert_eq!(program.counters().unwrap().flows.packets, u64::from(SCANNED) + sent);
}

/// A flow that was large and has ended makes room for those that come after it.
#[test]
fn an_ended_flow_makes_room() {
    if !loaded::may_load("flows that have ended") {
        return;
    }
    loaded::stay_on(0);
    let (program, _ring) = Loaded::new(Hook::Tcx, true, SMALL_RING, control(0)).unwrap();
    let flow = |number: u32| {
        let mut packet = numbered(7);
        packet[26..30].copy_from_slice(&number.to_be_bytes());
        packet
    };
    // More flows than there is room for, each with more packets than credit.
    for number in 0..8192 {
        program.run(&flow(number), 100).unwrap();
    }
    for number in 100_000..250_000 {
        program.run(&flow(number), 1).unwrap();
    }
    let old = |key: &FlowKey| u32::from_be_bytes(key.source_address[..4].try_into().unwrap()) < 8192;
    let flows = program.flows().unwrap();
    let left = flows.iter().filter(|(key, _)| old(key)).count();
    assert!(left < 200, "{left} ended flows of {}", flows.len());
}

#[test]
fn time_is_the_monotonic_clock() {
    if !loaded::may_load("the time of records") {
        return;
    }
    let now = || {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: a valid pointer to a time.
        assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) }, 0);
        time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned()
    };
    let (program, mut ring) = Loaded::new(Hook::Xdp, false, LARGE_RING, control(1)).unwrap();
    for _ in 0..20 {
        std::thread::sleep(std::time::Duration::from_millis(7));
        let before = now();
        program.run(&packets::ssdp(), 1).unwrap();
        let after = now();
        let mut time = 0;
        assert_eq!(ring.0.read(1, |record| time = record.time), 1);
        // Two of the longest ticks, 10 ms each.
        assert!(time <= after && time + 20_000_000 >= before, "{before} .. {time} .. {after}");
    }
}
