//! The programs on a network interface: a veth pair in a network namespace that ends with the test.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in the functions that it calls")]

mod loaded;
mod packets;
mod veth;

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use aya::EbpfLoader;
use aya::maps::Array;
use aya::programs::SchedClassifier;
use aya::programs::tc::TcAttachType;
use aya::programs::xdp::XdpMode;
use loaded::{Hook, Loaded, control};
use packet_record::{Flags, Record};
use packets::{
    IPV4, IPV6, Ipv4, SERVICE_VLAN, VLAN, ethernet, extension, ipv6, ipv6_fragment, tag, tcp, udp,
};
use veth::{SENDER, WATCHED, Wire, create_pair};

fn frames() -> Vec<Vec<u8>> {
    let datagram = Ipv4::of(17).before(&udp(1234, 53, &[0x11; 40]));
    let segment = tcp(1234, 53, 0x5002, &[0x22; 40]);
    let chain = extension(44, 1, &ipv6_fragment(6, 0, true, &segment));
    vec![
        packets::ssdp(),
        packets::tcp_ipv6(),
        ethernet(IPV6, &ipv6(0, &chain)),
        // The kernel takes the first tag off before TCX; the record has it all the same.
        ethernet(VLAN, &tag(0x6123, IPV4, &datagram)),
        ethernet(SERVICE_VLAN, &tag(0x0064, VLAN, &tag(0x00c8, IPV4, &datagram))),
        ethernet(VLAN, &tag(1, VLAN, &tag(2, VLAN, &tag(3, IPV4, &datagram)))),
        // Longer than what the kernel keeps in one buffer.
        ethernet(IPV4, &Ipv4::of(17).before(&udp(1234, 53, &[0x33; 1400]))),
    ]
}

/// Attaches another XDP program, as long as the result lives.
fn attach_another(hook: Hook, mode: XdpMode) -> Result<Loaded> {
    let (mut another, _) = Loaded::new(hook, false, 10, control(0))?;
    another.attach_xdp(WATCHED, mode)?;
    Ok(another)
}

fn read_back(hook: Hook, another: Option<(Hook, XdpMode)>) -> Result<()> {
    create_pair()?;
    let _another = another.map(|(hook, mode)| attach_another(hook, mode)).transpose()?;
    let (mut program, mut ring) = Loaded::new(hook, false, 10, control(1))?;
    // Egress sees a packet where it leaves, the others where it arrives.
    let is_sent = hook == Hook::Egress;
    program.attach(if is_sent { SENDER } else { WATCHED })?;
    let wire = Wire::open(SENDER)?;
    for frame in frames() {
        wire.send(&frame)?;
        let flags = if is_sent { Flags::SENT } else { Flags::default() };
        let mut expected = Record { frame_length: u32::try_from(frame.len())?, flags, ..Record::default() };
        packet_parser::parse(frame.as_slice(), &mut expected);
        expected.ratio = 1;
        ensure!(
            expected.fault().is_none() && (expected.flags.contains(Flags::PORTS) || expected.vlan_tags == 2)
        );
        let end = Instant::now() + Duration::from_secs(5);
        let records = loop {
            match ring.records() {
                records if !records.is_empty() => break records,
                _ if Instant::now() > end => bail!("no record of {frame:02x?} by {hook:?}"),
                _ => thread::sleep(Duration::from_millis(1)),
            }
        };
        assert_eq!(records, [expected], "by {hook:?} beside {another:?}");
    }
    let counters = program.counters()?;
    assert_eq!((counters.seen().packets, counters.shown), (frames().len() as u64, frames().len() as u64));
    Ok(())
}

/// Returns whether programs can be attached to interfaces. If not, a line says that `test` is skipped.
fn may_attach(test: &str) -> bool {
    let may_load = loaded::may_load(test);
    let has_ip = Command::new("ip").arg("-V").output().is_ok();
    if may_load && !has_ip {
        loaded::skipped(test, "there is no `ip` (iproute2)");
    }
    may_load && has_ip
}

/// Runs a test in a thread of its own, whose network namespace ends with it.
fn in_own_thread(test: impl FnOnce() -> Result<()> + Send + 'static) {
    thread::spawn(test).join().unwrap().unwrap();
}

#[test]
fn reads_what_is_on_the_wire() {
    if !may_attach("the programs on an interface") {
        return;
    }
    for (hook, another) in [
        (Hook::Xdp, None),
        (Hook::Generic, None),
        (Hook::Tcx, None),
        (Hook::Egress, None),
        (Hook::Tcx, Some((Hook::Xdp, XdpMode::Driver))),
        (Hook::Tcx, Some((Hook::Generic, XdpMode::Skb))),
        // The kernel copies packets for this program, and loses the length of their Ethernet header.
        (Hook::Tcx, Some((Hook::Xdp, XdpMode::Skb))),
    ] {
        in_own_thread(move || read_back(hook, another));
    }
}

/// Checks that a classifier behind the program, such as a network plugin's, finds the beginning of each packet.
fn finds_packets_behind(hook: Hook) -> Result<()> {
    create_pair()?;
    let mut bystander = EbpfLoader::new().load(packet_object::COMPARISON)?;
    let program: &mut SchedClassifier =
        bystander.program_mut("bystander").context("no program")?.try_into()?;
    program.load()?;
    program.attach(WATCHED, TcAttachType::Ingress)?;
    let (mut program, mut ring) = Loaded::new(hook, false, 10, control(1))?;
    program.attach(WATCHED)?;
    let wire = Wire::open(SENDER)?;
    let mut beginning: Array<_, [u8; 14]> = bystander.take_map("BEGINNING").context("no map")?.try_into()?;
    for frame in frames() {
        beginning.set(0, [0; 14], 0)?;
        wire.send(&frame)?;
        let end = Instant::now() + Duration::from_secs(5);
        while ring.records().is_empty() {
            ensure!(Instant::now() < end, "no record of {frame:02x?} by {hook:?}");
            thread::sleep(Duration::from_millis(1));
        }
        // The kernel has taken off a VLAN tag; the addresses stay.
        let expected = &frame[..12];
        while beginning.get(&0, 0)?[..12] != *expected {
            ensure!(
                Instant::now() < end,
                "{:02x?} behind {hook:?}, not {expected:02x?}",
                beginning.get(&0, 0)?
            );
            thread::sleep(Duration::from_millis(1));
        }
    }
    Ok(())
}

#[test]
fn leaves_packets_unchanged_for_programs_behind() {
    if !may_attach("programs behind ours on an interface") {
        return;
    }
    for hook in [Hook::Xdp, Hook::Generic, Hook::Tcx] {
        in_own_thread(move || finds_packets_behind(hook));
    }
}
