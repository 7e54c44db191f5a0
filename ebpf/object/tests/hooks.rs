//! What differs between the hooks: packets without an Ethernet header, sent packets, and headers beyond the first buffer.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in the functions that it calls")]
#![allow(clippy::cast_possible_truncation, reason = "packets of tests are short")]

mod loaded;
mod packets;

use loaded::{Hook, Loaded, control};
use packet_record::{Fault, Filter, FilterTest, Flags, Protocol, REJECT, Record};
use packets::{IPV4, IPV6, Ipv4, ethernet, extension, ipv6, tcp, udp};

#[test]
fn packets_without_ethernet_are_read_from_their_first_byte() {
    let four = Ipv4::of(17).before(&udp(1234, 53, b"data"));
    let mut broadcast = four.clone();
    broadcast[16..20].copy_from_slice(&[0xff; 4]);
    let six = ipv6(6, &tcp(1234, 53, 0x5002, &[0; 20]));
    let other = [0x12; 60].to_vec();
    let mut kernel = loaded::may_load("packets without an Ethernet header in the kernel")
        .then(|| Loaded::new(Hook::Raw, false, 10, control(1)).unwrap());
    for (packet, version, class, flags) in [
        (four, 4, Protocol::UdpIpv4, Flags::PORTS | Flags::MULTICAST),
        (broadcast, 4, Protocol::UdpIpv4, Flags::PORTS | Flags::BROADCAST),
        (six, 6, Protocol::TcpIpv6, Flags::PORTS | Flags::TCP_FLAGS),
        (other, 0, Protocol::OtherEthernet, Flags::default()),
    ] {
        let mut record = Record { frame_length: packet.len() as u32, ..Record::default() };
        packet_parser::parse_without_ethernet(packet.as_slice(), &mut record);
        assert_eq!((record.version, record.class, record.fault), (version, class as u8, 0));
        assert_eq!(record.flags, flags | Flags::NO_ETHERNET);
        if version != 0 {
            assert_eq!((record.source_port, record.destination_port), (1234, 53));
            assert_eq!((record.network_length, record.source_mac), (packet.len() as u32, [0; 6]));
        }
        if let Some((program, ring)) = &mut kernel {
            program.run(&packet, 1).unwrap();
            let mut records = ring.records();
            // The kernel's test run takes two bytes of the packet for an EtherType.
            if version == 0 {
                records[0].ethertype = 0;
            }
            assert_eq!(records, [Record { ratio: 1, ..record }]);
        }
    }
}

#[test]
fn sent_packets_are_marked() {
    if !loaded::may_load("sent packets in the kernel") {
        return;
    }
    let packet = packets::ssdp();
    let (program, mut ring) = Loaded::new(Hook::Egress, false, 10, control(1)).unwrap();
    program.run(&packet, 1).unwrap();
    let mut expected = Record { frame_length: packet.len() as u32, ..Record::default() };
    packet_parser::parse(packet.as_slice(), &mut expected);
    assert_eq!(ring.records(), [Record { ratio: 1, flags: expected.flags | Flags::SENT, ..expected }]);
}

/// A packet whose headers go on behind its first buffer has no fault of its own.
#[test]
fn headers_beyond_the_first_buffer_are_no_fault_of_the_packet() {
    if !loaded::may_load("packets in several buffers in the kernel") {
        return;
    }
    let inner =
        (1..3).fold(extension(17, 255, &udp(1234, 53, &[0; 64])), |inner, _| extension(60, 255, &inner));
    let packet = ethernet(IPV6, &ipv6(60, &inner));
    let (program, mut ring) = Loaded::new(Hook::Xdp, false, 10, control(1)).unwrap();
    program.run(&packet, 1).unwrap();
    let [record] = ring.records()[..] else { panic!("not one record") };
    assert_eq!(record.fault(), Some(Fault::OutOfReach), "{record:?}");
    assert_eq!((record.version, record.frame_length), (6, packet.len() as u32));
    assert_eq!(program.counters().unwrap().malformed, 0);

    // The same chain, cut short in the first buffer: that is a fault.
    program.run(&packet[..1000], 1).unwrap();
    let [record] = ring.records()[..] else { panic!("not one record") };
    assert_eq!(record.fault(), Some(Fault::Ipv6ExtensionTruncated), "{record:?}");
    assert_eq!(program.counters().unwrap().malformed, 1);
}

/// A filter of one test: the packets that it rejects have an outcome of their own, and are in no flow.
#[test]
fn rejected_packets_are_counted() {
    if !loaded::may_load("a filter in the kernel") {
        return;
    }
    for hook in [Hook::Xdp, Hook::Generic, Hook::Tcx, Hook::Egress] {
        let mut filter = Filter::default();
        let is_ipv4 =
            FilterTest { mask: 0xffff, number: IPV4.into(), offset: 12, width: 2, ..FilterTest::default() };
        filter.tests[0] = FilterTest { if_true: packet_record::ACCEPT, if_false: REJECT, ..is_ipv4 };
        let (program, mut ring) = Loaded::with_filter(hook, true, 10, control(1), Some(&filter)).unwrap();
        program.run(&packets::tcp_ipv4(), 3).unwrap();
        program.run(&packets::tcp_ipv6(), 5).unwrap();
        let counters = program.counters().unwrap();
        assert!(counters.balanced(), "{counters:?}");
        assert_eq!((counters.matched(), counters.filtered_out, counters.seen().packets), (3, 5, 8));
        assert_eq!((ring.records().len(), counters.flows.packets), (3, 3), "{hook:?}");
    }
}
