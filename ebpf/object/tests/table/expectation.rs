//! The expected records of hand-made packets, and the comparison with the records of the host and the kernel.

use crate::loaded::{self, Hook, Loaded, Ring, control};
use crate::packets::{
    HOST_MAC, IPV4, IPV6, SOURCE_MAC, V4_DESTINATION, V4_SOURCE, V6_DESTINATION, V6_SOURCE,
};
use packet_record::{Fault, Flags, Protocol, Record};

pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
pub(crate) const DATA: [u8; 4] = [0xff; 4];

pub(crate) fn four(address: [u8; 4]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&address);
    bytes
}

/// Returns the fields that every packet of these tests has.
pub(crate) fn framed(packet: &[u8], ethertype: u16) -> Record {
    Record {
        source_mac: SOURCE_MAC,
        destination_mac: HOST_MAC,
        frame_length: packet.len() as u32,
        ethertype,
        ratio: 1,
        ..Record::default()
    }
}

pub(crate) fn version4(packet: &[u8], protocol: u8, class: Protocol) -> Record {
    Record {
        source_address: four(V4_SOURCE),
        destination_address: four(V4_DESTINATION),
        version: 4,
        hop_limit: 1,
        traffic_class: 0xb8,
        protocol,
        class: class as u8,
        network_length: packet.len() as u32 - 14,
        ..framed(packet, IPV4)
    }
}

pub(crate) fn version6(packet: &[u8], protocol: u8, class: Protocol) -> Record {
    Record {
        source_address: V6_SOURCE,
        destination_address: V6_DESTINATION,
        version: 6,
        hop_limit: 64,
        traffic_class: 0xb8,
        protocol,
        class: class as u8,
        network_length: packet.len() as u32 - 14,
        ..framed(packet, IPV6)
    }
}

pub(crate) fn ports(record: Record) -> Record {
    Record { source_port: 1234, destination_port: 53, flags: record.flags | Flags::PORTS, ..record }
}

pub(crate) fn tcp_flags(bits: u16, record: Record) -> Record {
    Record { tcp_flags: bits, flags: record.flags | Flags::TCP_FLAGS, ..record }
}

pub(crate) fn faulty(fault: Fault, record: Record) -> Record {
    Record { fault: fault as u8, ..record }
}

pub(crate) fn on_host(packet: &[u8]) -> Record {
    let mut record = Record { frame_length: packet.len() as u32, ..Record::default() };
    packet_parser::parse(packet, &mut record);
    Record { ratio: 1, ..record }
}

/// Compares each packet's record on the host and, if programs can be loaded, in the kernel.
pub(crate) struct Reading {
    kernel: Vec<(Hook, Loaded, Ring)>,
}

impl Reading {
    pub(crate) fn new(test: &str) -> Self {
        let load = |hook| {
            let (program, ring) = Loaded::new(hook, false, 10, control(1)).unwrap();
            (hook, program, ring)
        };
        let hooks =
            if loaded::may_load(test) { vec![Hook::Xdp, Hook::Generic, Hook::Tcx] } else { Vec::new() };
        Self { kernel: hooks.into_iter().map(load).collect() }
    }

    pub(crate) fn expect(&mut self, name: &str, packet: &[u8], expected: Record) {
        assert_eq!(on_host(packet), expected, "{name}, on the host");
        for (hook, program, ring) in &mut self.kernel {
            if packet.len() < hook.shortest(packet) {
                continue;
            }
            program.run(packet, 1).unwrap();
            assert_eq!(ring.records(), [expected], "{name}, in the kernel by {hook:?}");
        }
    }
}
