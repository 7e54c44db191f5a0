//! Captures made by others: the packet program reads what tshark reads, and its filter decides as tcpdump does.
//!
//! The captures are the tests of tcpdump and nDPI, which `fetch-captures` downloads.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::cast_possible_truncation, reason = "frames of captures are short")]

#[path = "../../object/tests/loaded/mod.rs"]
mod loaded;

use loaded::{Hook, Loaded, control, skipped};
use packet_record::{Flags, Record};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use xdp_streamer::capture::LinkType;
use xdp_streamer::filter::Expression;

/// The link type of Ethernet in capture files.
const ETHERNET: u32 = 1;
/// The most frames of one capture.
const MOST_FRAMES: usize = 30;
/// The longest frame that the kernel runs a classifier on in a test.
const LONGEST: usize = 3000;
const RING_BITS: u32 = 14;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path
            .extension()
            .is_some_and(|kind| ["pcap", "pcapng", "cap"].iter().any(|known| kind == *known))
        {
            found.push(path);
        }
    }
}

/// Returns the whole frames of a capture in the classic format, if it is one of Ethernet.
fn frames(capture: &[u8]) -> Vec<Vec<u8>> {
    let number = |at: usize| u32::from_le_bytes(capture[at..at + 4].try_into().unwrap());
    let mut frames = Vec::new();
    if capture.len() < 24 || number(20) != ETHERNET {
        return frames;
    }
    let mut at = 24;
    while at + 16 <= capture.len() {
        let (captured, length) = (number(at + 8) as usize, number(at + 12) as usize);
        at += 16;
        let frame = &capture[at..at + captured];
        at += captured;
        if captured == length && (14..=LONGEST).contains(&captured) {
            frames.push(frame.to_vec());
        }
    }
    frames
}

fn capture(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Vec::new();
    // Magic number, version 2.4, time zone, accuracy, longest frame, link type.
    for number in [0xa1b2_c3d4, 4 << 16 | 2, 0, 0, 1 << 18, ETHERNET] {
        file.extend(u32::to_le_bytes(number));
    }
    for (index, frame) in frames.iter().enumerate() {
        for number in [index as u32, 0, frame.len() as u32, frame.len() as u32] {
            file.extend(number.to_le_bytes());
        }
        file.extend(frame);
    }
    file
}

fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Returns the frames of each capture that has some, or None and a line that says what is missing.
fn collect(test: &str, program: &str, folder: &Path) -> Option<Vec<Vec<Vec<u8>>>> {
    if !loaded::may_load(test) {
        return None;
    }
    for program in ["tcpdump", program] {
        if Command::new(program).arg("--version").output().is_err() {
            skipped(test, &format!("there is no `{program}`"));
            return None;
        }
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache"),
        PathBuf::from,
    );
    let captures = cache.join("rk1-captures");
    if !captures.join("complete").exists() {
        skipped(test, "there are no captures, which `ebpf/streamer/tests/fetch-captures` downloads");
        return None;
    }
    let mut found = Vec::new();
    files(&captures, &mut found);
    found.sort();
    let mut all = Vec::new();
    for file in &found {
        // tcpdump also reads pcapng, and the classic format of big-endian machines.
        let plain = folder.join("plain.pcap");
        // As root, tcpdump would write as another user.
        let arguments = ["-Z", "root", "-r", file.to_str().unwrap(), "-w", plain.to_str().unwrap()];
        if Command::new("tcpdump").args(arguments).output().unwrap().status.success() {
            let mut frames = frames(&fs::read(&plain).unwrap());
            frames.truncate(MOST_FRAMES);
            all.push(frames);
        }
    }
    all.retain(|frames| !frames.is_empty());
    let count = all.iter().map(Vec::len).sum::<usize>();
    eprintln!("{test}: {count} frames in {} of {} captures", all.len(), found.len());
    assert!(count > 3000 && all.len() > 300, "{count} frames in {} captures", all.len());
    Some(all)
}

const FILTERS: [&str; 66] = [
    "ip",
    "ip6",
    "arp",
    "rarp",
    "tcp",
    "udp",
    "sctp",
    "icmp",
    "icmp6",
    "igmp",
    "ah",
    "esp",
    "pim",
    "vrrp",
    "not ip",
    "not tcp and not udp",
    "! arp",
    "broadcast",
    "multicast",
    "ether broadcast",
    "ether multicast",
    "ip multicast",
    "ip6 multicast",
    "port 53",
    "port 80",
    "src port 80",
    "dst port 80",
    "tcp port 80",
    "udp port 53",
    "tcp src port 80 or udp dst port 53",
    "src and dst port 53",
    "src or dst port 443",
    "portrange 1-1023",
    "tcp portrange 79-81",
    "udp dst portrange 1024-65535",
    "not port 53",
    "not portrange 0-1023",
    "port 80 or 443",
    "tcp port 80 or 443 or 22",
    "ip proto 17",
    "ip proto \\tcp",
    "ip6 proto 58",
    "proto 6",
    "ether proto 0x88cc",
    "ether proto \\arp",
    "vlan",
    "vlan and ip",
    "vlan 5 or vlan 100",
    "vlan and vlan and ip",
    "not vlan",
    "less 64",
    "greater 1000",
    "greater 60 and less 100",
    "net 192.168",
    "src net 10",
    "net 192.168.0.0/16",
    "dst net 192.168.0.0 mask 255.255.0.0",
    "not net 10.0.0.0/8 and not net 192.168.0.0/16",
    "net 2001::/16",
    "dst net ff00::/8",
    "ip6 net fe80::/10",
    "arp net 192.168",
    "(tcp or udp) and not (port 53 or port 80)",
    "tcp or udp and port 53",
    "not (tcp and port 80)",
    "udp && ! port 53 || icmp",
];

/// Also filters with the addresses of the captures themselves.
fn with_addresses(frames: &[Vec<u8>]) -> Vec<String> {
    let mut filters: Vec<String> = FILTERS.iter().map(|text| (*text).to_owned()).collect();
    for frame in frames.iter().step_by(frames.len() / 12 + 1) {
        let record = parsed(frame);
        let mac = record.source_mac.map(|byte| format!("{byte:02x}")).join(":");
        filters.push(format!("ether host {mac}"));
        filters.push(format!("not ether src {mac} and not ether dst host {mac}"));
        if let (Some(source), Some(destination)) = (record.source(), record.destination()) {
            filters.push(format!("host {source}"));
            filters.push(format!("src host {source} and dst host {destination}"));
            filters.push(format!("not host {source} and not {destination}"));
            filters.push(format!("src {source} or dst {source}"));
        }
    }
    filters
}

fn parsed(frame: &[u8]) -> Record {
    let mut record = Record { frame_length: frame.len() as u32, ..Record::default() };
    packet_parser::parse(frame, &mut record);
    record
}

/// Compares the kernel's decisions with tcpdump's, for each filter.
fn compare(frames: &[Vec<u8>], filters: &[String], flags: &[&str], folder: &Path) {
    let (all, out) = (folder.join("all.pcap"), folder.join("out.pcap"));
    fs::write(&all, capture(frames)).unwrap();
    let compiled = |text: &str| text.parse::<Expression>().unwrap().compile(LinkType::Ethernet).unwrap();
    let (mut program, mut ring) =
        Loaded::with_filter(Hook::Tcx, false, 5, control(1), Some(&compiled("ip"))).unwrap();
    for text in filters {
        let files = ["-Z", "root", "-r", all.to_str().unwrap(), "-w", out.to_str().unwrap()];
        run("tcpdump", &[flags, &files, &[text]].concat());
        let expected = self::frames(&fs::read(&out).unwrap());
        program.set_filter(&compiled(text)).unwrap();
        // Every frame that the kernel accepts has a record.
        let mut accepts = |frame: &&Vec<u8>| {
            program.run(frame, 1).unwrap();
            !ring.records().is_empty()
        };
        let found: Vec<Vec<u8>> = frames.iter().filter(&mut accepts).cloned().collect();
        let difference = found.iter().zip(&expected).position(|(found, expected)| found != expected);
        assert_eq!(
            (found.len(), difference),
            (expected.len(), None),
            "`{text}`: ours {:02x?}, tcpdump {:02x?}",
            difference.map(|at| &found[at]),
            difference.map(|at| &expected[at])
        );
    }
}

#[test]
fn the_filter_decides_as_tcpdump_does() {
    let folder = tempfile::tempdir().unwrap();
    let test = "the_filter_decides_as_tcpdump_does";
    let Some(mut captures) = collect(test, "tcpdump", folder.path()) else { return };
    for frames in &mut captures {
        frames.retain(|frame| frame.len() >= Hook::Tcx.shortest(frame));
    }
    // Each filter sees each frame, so these are fewer than for the fields, but some of every capture.
    let mut frames: Vec<Vec<u8>> =
        captures.into_iter().flat_map(|frames| frames.into_iter().step_by(5)).collect();
    frames.dedup();
    let filters = with_addresses(&frames);
    compare(&frames, &filters, &[], folder.path());

    // A test that reads beyond the end of a truncated frame rejects it. libpcap's optimizer changes the order of the tests,
    // and so which of them reads too far first.
    let cut = |frame: &Vec<u8>, length: usize| frame.get(..length).map(<[u8]>::to_vec);
    let mut short: Vec<Vec<u8>> = (frames.iter().step_by(3))
        .enumerate()
        .filter_map(|(index, frame)| cut(frame, 15 + index % 60))
        .collect();
    short.retain(|frame| frame.len() >= Hook::Tcx.shortest(frame));
    compare(&short, &filters, &["-O"], folder.path());
    eprintln!(
        "{test}: {} filters on {} whole and {} truncated frames",
        filters.len(),
        frames.len(),
        short.len()
    );
}

const FIELDS: [&str; 16] = [
    "eth.src",
    "eth.dst",
    "ip.src",
    "ip.dst",
    "ipv6.src",
    "ipv6.dst",
    "ip.proto",
    "ip.ttl",
    "ipv6.hlim",
    "tcp.srcport",
    "tcp.dstport",
    "udp.srcport",
    "udp.dstport",
    "tcp.flags",
    "icmp.type",
    "icmpv6.type",
];

/// Returns the fields of a record in tshark's form, each if the record has it.
fn as_tshark(record: &Record) -> Vec<(&'static str, String)> {
    let mac = |bytes: [u8; 6]| bytes.map(|byte| format!("{byte:02x}")).join(":");
    let mut fields = vec![("eth.src", mac(record.source_mac)), ("eth.dst", mac(record.destination_mac))];
    let is = |flag| record.flags.contains(flag);
    if let (Some(source), Some(destination)) = (record.source(), record.destination()) {
        match record.version {
            4 => fields.extend([
                ("ip.src", source.to_string()),
                ("ip.dst", destination.to_string()),
                ("ip.proto", record.protocol.to_string()),
                ("ip.ttl", record.hop_limit.to_string()),
            ]),
            6 => fields.extend([
                ("ipv6.src", source.to_string()),
                ("ipv6.dst", destination.to_string()),
                ("ipv6.hlim", record.hop_limit.to_string()),
            ]),
            _ => {}
        }
    }
    let ports = (record.source_port.to_string(), record.destination_port.to_string());
    match record.protocol {
        6 if is(Flags::PORTS) => fields.extend([("tcp.srcport", ports.0), ("tcp.dstport", ports.1)]),
        17 if is(Flags::PORTS) => fields.extend([("udp.srcport", ports.0), ("udp.dstport", ports.1)]),
        _ => {}
    }
    if is(Flags::TCP_FLAGS) {
        fields.push(("tcp.flags", format!("0x{:04x}", record.tcp_flags)));
    }
    if is(Flags::ICMP) {
        let name = if record.version == 4 { "icmp.type" } else { "icmpv6.type" };
        fields.push((name, record.icmp_type.to_string()));
    }
    fields
}

/// Returns the records of frames from the kernel.
fn records(hook: Hook, frames: &[Vec<u8>]) -> Vec<Option<Record>> {
    let (program, mut ring) = Loaded::new(hook, false, RING_BITS, control(1)).unwrap();
    let record = |frame: &Vec<u8>| {
        if frame.len() < hook.shortest(frame) {
            return None;
        }
        program.run(frame, 1).unwrap();
        ring.records().pop()
    };
    frames.iter().map(record).collect()
}

/// Returns whether tshark shows the MAC addresses of an inner frame: Cisco's ISL (by its destination) and `FabricPath`.
fn is_in_another_frame(frame: &[u8]) -> bool {
    frame.starts_with(&[1, 0, 0x0c, 0, 0]) || frame.get(12..14) == Some(&[0x89, 0x03])
}

/// Returns whether the IPv6 header says that nothing follows it.
fn has_no_length(frame: &[u8]) -> bool {
    frame.get(12..14) == Some(&[0x86, 0xdd]) && frame.get(18..20) == Some(&[0, 0])
}

#[test]
fn fields_are_those_of_tshark_in_every_mode() {
    let folder = tempfile::tempdir().unwrap();
    let test = "fields_are_those_of_tshark_in_every_mode";
    let Some(captures) = collect(test, "tshark", folder.path()) else { return };
    let frames = captures.concat();
    let all = folder.path().join("all.pcap");
    fs::write(&all, capture(&frames)).unwrap();
    let mut arguments =
        vec!["-n", "-r", all.to_str().unwrap(), "-T", "fields", "-E", "occurrence=f", "-E", "separator=|"];
    // One packet at a time, as the packet program sees it.
    arguments.extend(["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]);
    for field in FIELDS {
        arguments.extend(["-e", field]);
    }
    let output = String::from_utf8(run("tshark", &arguments)).unwrap();
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), frames.len());

    let host: Vec<Record> = frames.iter().map(|frame| Record { ratio: 1, ..parsed(frame) }).collect();
    for hook in [Hook::Xdp, Hook::Generic, Hook::Tcx] {
        let records = records(hook, &frames);
        for (record, host) in
            records.iter().zip(&host).filter_map(|(record, host)| Some((record.as_ref()?, host)))
        {
            assert_eq!(record, host, "{hook:?}");
        }
    }
    let (mut equal, mut in_another_frame, mut left_out, mut reserved_bits) = (0, 0, 0, 0);
    let mut differences = Vec::new();
    for ((record, line), frame) in host.iter().zip(&lines).zip(&frames) {
        let theirs: Vec<&str> = line.split('|').collect();
        for (name, ours) in as_tshark(record) {
            let index = FIELDS.iter().position(|field| *field == name).unwrap();
            let theirs = theirs[index];
            // tshark shows nothing of a header that is truncated or has no length, and the reserved bits beside the flags.
            let is_left_out = theirs.is_empty() && (record.fault != 0 || has_no_length(frame));
            let has_same_flags = name == "tcp.flags"
                && u16::from_str_radix(theirs.trim_start_matches("0x"), 16)
                    .is_ok_and(|bits| bits & 0x1ff == record.tcp_flags);
            if theirs == ours {
                equal += 1;
            } else if is_in_another_frame(frame) {
                in_another_frame += 1;
            } else if is_left_out {
                left_out += 1;
            } else if has_same_flags {
                reserved_bits += 1;
            } else {
                differences.push(format!("{name}: ours {ours}, tshark {theirs}, {frame:02x?}"));
            }
        }
    }
    eprintln!(
        "{test}: {equal} fields are equal; not equal: {in_another_frame} of an inner frame, {left_out} that tshark does not \
         show, {reserved_bits} TCP flags beside reserved bits"
    );
    assert!(equal > 50_000, "{equal} fields");
    assert!(differences.is_empty(), "{} beside {equal}: {}", differences.len(), differences.join("\n"));
}
