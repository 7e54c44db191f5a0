//! What a packet costs in the kernel, by `BPF_PROG_TEST_RUN`, over a program that does nothing.
//!
//! `cargo bench -p packet-object`, as root. docs/performance.md explains what it prints.

#[path = "../tests/loaded/mod.rs"]
mod loaded;
#[path = "../tests/packets/mod.rs"]
mod packets;
mod reader;

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aya::maps::{MapData, RingBuf};
use aya::programs::{TestRun, TestRunOptions, Xdp};
use aya::{Ebpf, EbpfLoader};
use loaded::{Hook, Loaded, Ring, control};
use reader::Read;

/// Runs of which the median is taken. All cases take turns, so that what else the machine does meets all of them.
const RUNS: usize = 101;
/// Packets in one run.
const PACKETS: u32 = 50_000;
/// Packets in one run of the program to compare with: its ring of 256 KiB has room for 4,096. Once the ring is full
/// nothing is written and nobody woken, which costs little.
const PACKETS_COMPARED: u32 = 3_000;
/// Room for all records of a run, so that what is measured is a record and not the loss of one.
const RING: u32 = 64 << 20;
/// Packets that come one at a time, and the time between them.
const SINGLE_PACKETS: usize = 5_000;
const BETWEEN: Duration = Duration::from_micros(50);

fn main() -> Result<()> {
    if !loaded::may_load("the kernel's costs") {
        return Ok(());
    }
    back_to_back()?;
    one_at_a_time()
}

/// As fast as the kernel takes them.
fn back_to_back() -> Result<()> {
    let ssdp = packets::ssdp();
    let mut empty = Case::compared("empty", &ssdp, reader::at_once, PACKETS)?;
    let mut original = Case::compared("wake_each", &ssdp, reader::at_once, PACKETS_COMPARED)?;
    let mut rows = Vec::new();
    for (name, packet) in [
        ("IPv4 UDP", ssdp),
        ("IPv4 TCP", packets::tcp_ipv4()),
        ("IPv6 TCP", packets::tcp_ipv6()),
        ("QinQ IPv4 TCP", packets::tagged_tcp_ipv4()),
    ] {
        let counted = Case::ours(&packet, false, 0, PACKETS)?;
        let sampled = Case::ours(&packet, false, 100, PACKETS)?;
        let shown = Case::ours(&packet, false, 1, PACKETS)?;
        let in_flow = Case::ours(&packet, true, 0, PACKETS)?;
        rows.push((name, [counted, sampled, shown, in_flow]));
    }
    for _ in 0..RUNS {
        empty.measure()?;
        original.measure()?;
        for case in rows.iter_mut().flat_map(|(_, cases)| cases) {
            case.measure()?;
        }
    }

    let floor = empty.median()?;
    let original = original.median()? - floor;
    println!(
        "back to back, ns a packet (median of {RUNS} runs) over the {floor} of a program that does nothing\n"
    );
    println!("{:<16}{:>10}{:>10}{:>18}{:>12}", "", "counted", "1 in 100", "each shown", "flow adds");
    for (name, [counted, sampled, shown, in_flow]) in &mut rows {
        let counted = counted.median()? - floor;
        let sampled = sampled.median()? - floor;
        let shown = shown.median()? - floor;
        let flow = in_flow.median()? - floor - counted;
        let shown = format!("{shown} (1/{:.0})", ratio(original, shown));
        println!("{name:<16}{counted:>10}{sampled:>10}{shown:>18}{flow:>12}");
    }
    println!("\nreserving first and waking for each packet: {original}, beside a reader that keeps up\n");
    Ok(())
}

/// With time for the reader to go to sleep again.
fn one_at_a_time() -> Result<()> {
    let ssdp = packets::ssdp();
    let floor = Case::compared("empty", &ssdp, reader::when_told, 1)?.single_packets()?;
    let original = Case::compared("wake_each", &ssdp, reader::when_told, 1)?.single_packets()? - floor;
    let ours = Case::ours(&ssdp, false, 1, 1)?.single_packets()? - floor;
    println!(
        "one packet each {BETWEEN:?}, ns (median of {SINGLE_PACKETS}) over the {floor} of doing nothing\n"
    );
    println!("each shown: {ours} (1/{:.0})", ratio(original, ours));
    println!(
        "reserving first and waking for each packet: {original}, beside a reader that sleeps until it is woken"
    );
    Ok(())
}

fn ratio(compared: i64, ours: i64) -> f64 {
    compared as f64 / ours.max(1) as f64
}

/// A program, a packet and a reader: in nanoseconds a packet, with what the kernel's loop costs.
struct Case {
    /// So many times, with so much time between.
    run: Box<dyn FnMut(usize, Duration) -> Result<Vec<u64>>>,
    costs: Vec<u64>,
}

impl Case {
    /// The packet program, showing one packet in `ratio` (0: none).
    fn ours(packet: &[u8], flows: bool, ratio: u32, packets: u32) -> Result<Self> {
        let (program, Ring(mut ring)) = Loaded::new(Hook::Xdp, flows, RING, control(ratio))?;
        let packet = packet.to_vec();
        Ok(Self::of(move |times, between| {
            let costs = reader::beside(&mut ring, reader::in_turns, || {
                repeated(times, between, || program.run(&packet, packets))
            })?;
            let counters = program.counters()?;
            ensure!(counters.balanced() && counters.lost == 0, "lost records: {counters:?}");
            Ok(costs)
        }))
    }

    /// A program to compare with.
    fn compared(name: &'static str, packet: &[u8], read: Read, packets: u32) -> Result<Self> {
        let mut ebpf = EbpfLoader::new().load(packet_object::COMPARISON)?;
        <&mut Xdp>::try_from(ebpf.program_mut(name).context("no program")?)?.load()?;
        let mut ring: RingBuf<MapData> = RingBuf::try_from(ebpf.take_map("EVENTS").context("no ring")?)?;
        let packet = packet.to_vec();
        Ok(Self::of(move |times, between| {
            reader::beside(&mut ring, read, || {
                repeated(times, between, || run(&ebpf, name, &packet, packets))
            })
        }))
    }

    fn of(run: impl FnMut(usize, Duration) -> Result<Vec<u64>> + 'static) -> Self {
        Self { run: Box::new(run), costs: Vec::new() }
    }

    fn measure(&mut self) -> Result<()> {
        let costs = (self.run)(1, Duration::ZERO)?;
        self.costs.extend(costs);
        Ok(())
    }

    fn single_packets(&mut self) -> Result<i64> {
        self.costs = (self.run)(SINGLE_PACKETS, BETWEEN)?;
        self.median()
    }

    fn median(&mut self) -> Result<i64> {
        self.costs.sort_unstable();
        Ok(i64::try_from(self.costs[self.costs.len() / 2])?)
    }
}

fn repeated(times: usize, between: Duration, mut run: impl FnMut() -> Result<u64>) -> Result<Vec<u64>> {
    let one = |_| {
        if !between.is_zero() {
            thread::sleep(between);
        }
        run()
    };
    (0..times).map(one).collect()
}

fn run(ebpf: &Ebpf, name: &str, packet: &[u8], repeat: u32) -> Result<u64> {
    let program = <&Xdp>::try_from(ebpf.program(name).context("no program")?)?;
    let options = TestRunOptions { data_in: Some(packet), repeat, ..TestRunOptions::default() };
    Ok(u64::try_from(program.test_run(options)?.duration.as_nanos())?)
}
