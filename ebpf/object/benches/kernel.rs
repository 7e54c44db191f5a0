//! Measures a packet's cost in the kernel with `BPF_PROG_TEST_RUN`, relative to a program that does nothing.
//!
//! Run `cargo bench -p packet-object` as root. docs/performance.md explains the output.

#[path = "../tests/loaded/mod.rs"]
mod loaded;
#[path = "../tests/packets/mod.rs"]
mod packets;
mod quartiles;
mod reader;

use anyhow::{Context, Result, ensure};
use aya::maps::{MapData, RingBuf};
use aya::programs::{TestRun, TestRunOptions, Xdp};
use aya::{Ebpf, EbpfLoader};
use loaded::{Hook, Loaded, Ring, control};
use quartiles::Quartiles;

/// The number of runs for median and quartiles. All cases take turns and a run takes a fraction of a millisecond, so that
/// other work on the machine disturbs few runs, and all cases alike.
const RUNS: usize = 201;
/// The number of packets in one run.
const PACKETS: u32 = 5_000;
/// The number of packets in one run with pauses of 20 microseconds.
const PACKETS_APART: u32 = 100;
/// The number of packets in a burst for a reader that is woken: half of what its ring holds, because a lost record would
/// be cheap.
const PACKETS_BURST: u32 = 2_000;
/// The bits of a ring with twice the room for all records of a run, because a lost record would be cheap.
const RING_BITS: u32 = 14;

fn main() -> Result<()> {
    if !loaded::may_load("the kernel's costs") {
        return Ok(());
    }
    let ssdp = packets::ssdp();
    let mut empty = Case::compared("empty", &ssdp, PACKETS)?;
    let mut pause = Case::compared("pause", &ssdp, PACKETS_APART)?;
    let mut wake_apart = Case::compared("pause_and_wake", &ssdp, PACKETS_APART)?;
    let mut wake_burst = Case::compared("wake", &ssdp, PACKETS_BURST)?;
    let mut rows = Vec::new();
    for (name, packet) in [
        ("IPv4 UDP", ssdp),
        ("IPv4 TCP", packets::tcp_ipv4()),
        ("IPv6 TCP", packets::tcp_ipv6()),
        ("QinQ IPv4 TCP", packets::tagged_tcp_ipv4()),
    ] {
        let counted = Case::ours(&packet, false, 0)?;
        let sampled = Case::ours(&packet, false, 100)?;
        let shown = Case::ours(&packet, false, 1)?;
        let in_flow = Case::ours(&packet, true, 0)?;
        rows.push((name, [counted, sampled, shown, in_flow]));
    }
    for _ in 0..RUNS {
        for case in [&mut empty, &mut pause, &mut wake_apart, &mut wake_burst] {
            case.measure()?;
        }
        for case in rows.iter_mut().flat_map(|(_, cases)| cases) {
            case.measure()?;
        }
    }

    let floor = empty.quartiles()?;
    let apart = wake_apart.quartiles()?.over(&pause.quartiles()?);
    let burst = wake_burst.quartiles()?.over(&floor);
    println!("ns a packet over a program that does nothing ({floor}): median of {RUNS} runs (quartiles)\n");
    println!(
        "{:<16}{:>14}{:>14}{:>14}{:>14}{:>8}",
        "", "counted", "1 in 100", "each shown", "flow adds", "ratio"
    );
    for (name, [counted, sampled, shown, in_flow]) in &mut rows {
        let counted = counted.quartiles()?.over(&floor);
        let in_flow = in_flow.quartiles()?.over(&floor).over(&counted);
        let sampled = sampled.quartiles()?.over(&floor);
        let shown = shown.quartiles()?.over(&floor);
        let less = f64::from(apart.median) / f64::from(shown.median.max(1));
        let cells = [&counted, &sampled, &shown, &in_flow].map(|cost| format!("{cost:>14}")).concat();
        println!("{name:<16}{cells}{:>8}", format!("1/{less:.0}"));
    }
    println!("\nreserving first and waking for each packet, 20 us apart: {apart}");
    println!("the same, a burst of {PACKETS_BURST} back to back: {burst}");
    Ok(())
}

/// A program, a packet and a reader, with the nanoseconds per packet of each run. The kernel's loop is included.
struct Case {
    run: Box<dyn FnMut() -> Result<u64>>,
    costs: Vec<u64>,
}

impl Case {
    /// Returns the packet program, which shows one packet of `ratio` (0: none) to a reader that polls.
    fn ours(packet: &[u8], flows: bool, ratio: u32) -> Result<Self> {
        let (program, Ring(mut ring)) = Loaded::new(Hook::Xdp, flows, RING_BITS, control(ratio))?;
        let packet = packet.to_vec();
        Ok(Self::of(move || {
            let cost = reader::beside(&mut ring, reader::in_turns, || program.run(&packet, PACKETS))?;
            let counters = program.counters()?;
            ensure!(counters.balanced() && counters.lost == 0, "lost records: {counters:?}");
            ensure!(ratio != 1 || counters.sampled_out == 0, "records sampled out: {counters:?}");
            Ok(cost)
        }))
    }

    /// Returns a program to compare with, beside a reader that sleeps until it is woken.
    fn compared(name: &'static str, packet: &[u8], packets: u32) -> Result<Self> {
        let mut ebpf = EbpfLoader::new().load(packet_object::COMPARISON)?;
        <&mut Xdp>::try_from(ebpf.program_mut(name).context("no program")?)?.load()?;
        let mut ring: RingBuf<MapData> = RingBuf::try_from(ebpf.take_map("EVENTS").context("no ring")?)?;
        let packet = packet.to_vec();
        Ok(Self::of(move || {
            reader::beside(&mut ring, reader::when_told, || run(&ebpf, name, &packet, packets))
        }))
    }

    fn of(run: impl FnMut() -> Result<u64> + 'static) -> Self {
        Self { run: Box::new(run), costs: Vec::with_capacity(RUNS) }
    }

    fn measure(&mut self) -> Result<()> {
        self.costs.push((self.run)()?);
        Ok(())
    }

    fn quartiles(&self) -> Result<Quartiles> {
        Quartiles::of(self.costs.clone())
    }
}

fn run(ebpf: &Ebpf, name: &str, packet: &[u8], repeat: u32) -> Result<u64> {
    let program = <&Xdp>::try_from(ebpf.program(name).context("no program")?)?;
    let options = TestRunOptions { data_in: Some(packet), repeat, ..TestRunOptions::default() };
    Ok(u64::try_from(program.test_run(options)?.duration.as_nanos())?)
}
