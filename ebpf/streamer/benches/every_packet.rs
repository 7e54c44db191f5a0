//! Every packet as a row on standard output, and then in a pcapng file: 100,000 packets a second over a veth pair for 30 s.
//! Needs root.
//!
//! `cargo bench -p xdp-streamer --bench every_packet`
#![expect(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot go on has failed")]
#![allow(dead_code, reason = "the tests use more of these modules")]

#[path = "../tests/end_to_end/lab.rs"]
mod lab;
mod sender;
mod usage;

use lab::{Lab, WATCHED};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use usage::{Usage, resident_mib};

const PER_SECOND: u64 = 100_000;
const TIME: Duration = Duration::from_secs(30);

fn main() {
    if sender::was_started() {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: every_packet because it needs root");
        return;
    }
    println!("{PER_SECOND} packets/s of 60 bytes for {} s", TIME.as_secs());
    measure("rows on standard output", &["--budget", "1000000", "--format", "line"], |output| {
        let mut lines = 0;
        let mut reader = BufReader::with_capacity(1 << 20, output);
        loop {
            let bytes = reader.fill_buf().unwrap();
            if bytes.is_empty() {
                return lines;
            }
            // Rows of packets are by far the most; the others are a dozen a second.
            lines += bytes.iter().map(|byte| usize::from(*byte == b'\n')).sum::<usize>();
            let length = bytes.len();
            reader.consume(length);
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("packets.pcapng");
    measure("packets in a pcapng file", &["--write", file.to_str().unwrap()], |mut output| {
        output.read_to_end(&mut Vec::new()).unwrap();
        packets_of(&file)
    });
}

/// Runs the daemon while packets are sent. `count` reads its standard output to the end, and returns how many rows or packets
/// there were.
fn measure(name: &str, arguments: &[&str], count: impl FnOnce(std::process::ChildStdout) -> usize + Send) {
    let lab = Lab::new();
    let mut daemon = Command::new("ip")
        .args(["netns", "exec", &lab.node, env!("CARGO_BIN_EXE_xdp-streamer"), "run", "--interface", WATCHED])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (output, mut log) = (daemon.stdout.take().unwrap(), BufReader::new(daemon.stderr.take().unwrap()));
    std::thread::scope(|scope| {
        let counted = scope.spawn(|| count(output));
        let mut text = String::new();
        while !text.contains("attached in") {
            assert!(log.read_line(&mut text).unwrap() > 0, "{text}");
        }
        // As after a long silence.
        std::thread::sleep(Duration::from_secs(3));
        let before = Usage::of(daemon.id());
        let sent = sender::send(&lab, PER_SECOND, TIME).packets;
        std::thread::sleep(Duration::from_secs(1));
        let usage = Usage::of(daemon.id()).since(before);
        let memory = resident_mib(daemon.id());
        let process = rustix::process::Pid::from_child(&daemon);
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
        log.read_to_string(&mut text).unwrap();
        assert!(daemon.wait().unwrap().success(), "{text}");
        let counted = counted.join().unwrap();
        println!("\n{name}:");
        println!("  CPU        {:.1} % of a core", usage.cpu_percent(TIME));
        println!("  RSS        {memory:.1} MiB");
        println!("  sent       {sent}, there {counted}");
        for line in text.lines().filter(|line| line.contains("packets")) {
            println!("  log        {line}");
        }
    });
}

/// Returns the number of packets in a pcapng file.
fn packets_of(file: &Path) -> usize {
    let bytes = std::fs::read(file).unwrap();
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let (mut at, mut packets) = (0, 0);
    while at < bytes.len() {
        // An enhanced packet block.
        packets += usize::from(word(at) == 6);
        at += word(at + 4) as usize;
    }
    packets
}
