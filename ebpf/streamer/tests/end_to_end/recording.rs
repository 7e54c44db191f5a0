//! Packets in pcapng files.

use crate::daemon::{Daemon, command};
use crate::lab::{Lab, WATCHED};
use crate::{frame, lab, requirement, wait_until};
use std::path::Path;
use std::process::{Command, Stdio};

/// A packet of a file: its interface, its time in nanoseconds, its length and its bytes.
#[derive(Debug)]
struct Packet {
    interface: u32,
    time: u64,
    length: u32,
    bytes: Vec<u8>,
}

/// The enhanced packet blocks of a file; a file that is not well-formed fails.
fn packets(file: &[u8]) -> Vec<Packet> {
    let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    assert_eq!((word(0), word(8)), (0x0a0d_0d0a, 0x1a2b_3c4d));
    let mut packets = Vec::new();
    let mut at = 0;
    while at < file.len() {
        let length = word(at + 4) as usize;
        assert_eq!((word(at + length - 4) as usize, length % 4), (length, 0), "block at {at}");
        if word(at) == 6 {
            let captured = word(at + 20) as usize;
            packets.push(Packet {
                interface: word(at + 8),
                time: u64::from(word(at + 12)) << 32 | u64::from(word(at + 16)),
                length: word(at + 24),
                bytes: file[at + 28..at + 28 + captured].to_vec(),
            });
        }
        at += length;
    }
    packets
}

/// Asks tshark for fields of each packet. None if there is no tshark. It must have nothing to complain about.
fn tshark(test: &str, file: &Path, fields: &[&str]) -> Option<Vec<String>> {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(file).args(["-n", "-T", "fields"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let Ok(output) = command.output() else {
        requirement::skipped(test, "tshark is not installed (Debian: tshark)");
        return None;
    };
    let complaints: String = String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter(|line| !line.contains("Running as user \"root\""))
        .collect();
    assert!(output.status.success() && complaints.is_empty(), "{complaints}");
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

fn record(lab: &Lab, file: &Path, more: &[&str]) -> Daemon {
    let arguments = [&["run", "-i", WATCHED, "--write", file.to_str().unwrap()][..], more].concat();
    Daemon::spawn(command(lab, &arguments))
}

/// Every kind of packet, with and without tags, byte for byte in every mode; among them the packet of the original posts.
#[test]
fn packets_are_written_byte_for_byte() {
    let test = "packets_are_written_byte_for_byte";
    let Some(lab) = lab(test) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut frames = frame::kinds();
    frames.push(frame::ssdp());
    frames.push(frame::ethernet([0xff; 6], frame::SYNOLOGY, &[], 0x88cc, &vec![0x5a; 1400]));
    for (mode, flags) in [
        ("driver", &["--xdp-mode", "driver"][..]),
        ("generic", &["--xdp-mode", "generic"]),
        ("tcx", &["--hook", "tcx"]),
    ] {
        let file = folder.path().join(format!("{mode}.pcapng"));
        let before = now();
        let mut daemon = record(&lab, &file, flags);
        lab.send(&frames);
        std::thread::sleep(std::time::Duration::from_millis(300));
        assert!(daemon.terminate().0.success());
        assert!(daemon.output().is_empty(), "no rows were asked for: {}", daemon.output());
        let written = packets(&std::fs::read(&file).unwrap());
        assert_eq!(written.len(), frames.len(), "{mode}: {}", daemon.log());
        for (packet, frame) in written.iter().zip(&frames) {
            assert_eq!((&packet.bytes, packet.length as usize), (frame, frame.len()), "{mode}");
            assert_eq!(packet.interface, 0);
            assert!((before..=now()).contains(&packet.time), "{mode}: {}", packet.time);
        }
        assert!(written.is_sorted_by_key(|packet| packet.time), "{mode}");
        let Some(lines) = tshark(test, &file, &["frame.interface_name", "udp.dstport", "frame.len"]) else {
            return;
        };
        assert_eq!(lines.len(), frames.len());
        assert!(lines.contains(&"end0\t1900\t143".to_owned()), "{mode}: {lines:?}");
    }
}

fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(now.as_nanos()).unwrap()
}

/// Packets are cut, and say how long they were; files are rotated by size, and only the newest are kept.
#[test]
fn files_are_rotated_and_packets_cut() {
    let test = "files_are_rotated_and_packets_cut";
    let Some(lab) = lab(test) else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("packets.pcapng");
    let long = frame::ethernet([0xff; 6], frame::SYNOLOGY, &[], 0x88cc, &vec![0x5a; 1400]);
    let mut daemon = record(&lab, &file, &["--snaplen", "1000", "--rotate", "64KiB", "--keep", "2"]);
    for _ in 0..10 {
        lab.send(&vec![long.clone(); 40]);
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert!(daemon.terminate().0.success());
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 2, "{files:?}");
    for path in &files {
        let bytes = std::fs::read(path).unwrap();
        for packet in packets(&bytes) {
            assert_eq!((packet.bytes.len(), packet.length), (1000, 1414));
            assert_eq!(packet.bytes, long[..1000]);
        }
        if tshark(test, path, &["frame.number"]).is_none() {
            return;
        }
    }
}

/// A burst of 20,000 packets: each of them is in the file.
#[test]
fn a_burst_is_written_completely() {
    const PACKETS: usize = 20_000;
    let Some(lab) = lab("a_burst_is_written_completely") else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("packets.pcapng");
    let mut daemon = record(&lab, &file, &["--snaplen", "96"]);
    lab.send(&vec![frame::datagram(9); PACKETS]);
    assert!(daemon.terminate().0.success());
    let log = daemon.log();
    assert!(log.contains(&format!("{PACKETS} packets seen, {PACKETS} shown")), "{log}");
    assert_eq!(packets(&std::fs::read(&file).unwrap()).len(), PACKETS, "{log}");
}

/// `--write -` is for a pipe, and a disk that is full ends the daemon with an error.
#[test]
fn a_pipe_gets_packets_and_a_full_disk_is_an_error() {
    let Some(lab) = lab("a_pipe_gets_packets_and_a_full_disk_is_an_error") else { return };
    let mut child =
        command(&lab, &["run", "-i", WATCHED, "--write", "-", "--duration", "2s", "--xdp-mode", "driver"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
    wait_until("it is attached", || lab.link().contains("xdp"));
    lab.send(&[frame::ssdp()]);
    let mut written = Vec::new();
    std::io::Read::read_to_end(&mut child.stdout.take().unwrap(), &mut written).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(packets(&written)[0].bytes, frame::ssdp());

    let mut daemon = record(&lab, Path::new("/dev/full"), &[]);
    lab.send(&vec![frame::datagram(9); 1000]);
    assert_eq!(daemon.ended().code(), Some(1));
    assert!(daemon.log().contains("cannot write `/dev/full`: No space left on device"), "{}", daemon.log());
}
