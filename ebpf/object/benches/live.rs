//! Measures what the kernel accounts to the attached program for each packet (`BPF_ENABLE_STATS`), relative to an attached
//! program that does nothing.
//!
//! The packets come over a veth pair at 100,000 a second, so that the network stack uses the caches between two of them, which
//! the loop of `benches/kernel.rs` does not show. Run `cargo bench -p packet-object --bench live` as root.

#[path = "../tests/loaded/mod.rs"]
mod loaded;
#[path = "../tests/packets/mod.rs"]
mod packets;
mod quartiles;
mod reader;
#[path = "../tests/veth/mod.rs"]
mod veth;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aya::programs::tc::TcAttachType;
use aya::programs::xdp::XdpMode;
use aya::programs::{SchedClassifier, Xdp};
use aya::sys::{Stats, enable_stats};
use aya::{Ebpf, EbpfLoader};
use loaded::{Hook, Loaded, control, stay_on};
use quartiles::Quartiles;
use veth::{SENDER, WATCHED, Wire};

/// The number of rounds. In each, all cases take turns.
const ROUNDS: usize = 15;
/// The packets of one turn.
const PER_SECOND: u64 = 100_000;
const TURN: Duration = Duration::from_millis(200);
/// As the daemon has by default.
const RING_BITS: u32 = 11;

fn main() -> Result<()> {
    if !loaded::may_load("the kernel's costs on an interface") {
        return Ok(());
    }
    veth::create_pair()?;
    stay_on(0);
    let wire = Wire::open(SENDER)?;
    let _statistics = enable_stats(Stats::RunTime)?;
    println!("ns a packet over a program that does nothing, median of {ROUNDS} turns (quartiles)\n");
    println!("{:<24}{:>14}{:>14}{:>14}{:>14}", "", "nothing", "counted", "each shown", "flow adds");
    for (name, packet) in [("IPv4 UDP, 60 bytes", packets::short_udp()), ("IPv6 TCP", packets::tcp_ipv6())] {
        for (mode, hook) in [("driver", Hook::Xdp), ("generic", Hook::Generic), ("TCX", Hook::Tcx)] {
            let mut costs: [Vec<u64>; 4] = Default::default();
            for _ in 0..ROUNDS {
                costs[0].push(nothing(hook, &wire, &packet)?);
                costs[1].push(ours(hook, false, 0, &wire, &packet)?);
                costs[2].push(ours(hook, false, 1, &wire, &packet)?);
                costs[3].push(ours(hook, true, 0, &wire, &packet)?);
            }
            let [nothing, counted, shown, in_flow] = costs;
            let (nothing, counted) = (Quartiles::of(nothing)?, Quartiles::of(counted)?);
            let shown = Quartiles::of(shown)?.over(&nothing);
            let in_flow = Quartiles::of(in_flow)?.over(&counted);
            let counted = counted.over(&nothing);
            println!("{:<24}{nothing:>14}{counted:>14}{shown:>14}{in_flow:>14}", format!("{name}, {mode}"));
        }
    }
    Ok(())
}

/// Returns the cost of a packet for a program that does nothing.
fn nothing(hook: Hook, wire: &Wire, packet: &[u8]) -> Result<u64> {
    let mut ebpf = EbpfLoader::new().load(packet_object::COMPARISON)?;
    let name = if hook == Hook::Tcx { "empty_tcx" } else { "empty" };
    if hook == Hook::Tcx {
        let program: &mut SchedClassifier = ebpf.program_mut(name).context("no program")?.try_into()?;
        program.load()?;
        program.attach(WATCHED, TcAttachType::Ingress)?;
    } else {
        let mode = if hook == Hook::Generic { XdpMode::Skb } else { XdpMode::Driver };
        let program: &mut Xdp = ebpf.program_mut(name).context("no program")?.try_into()?;
        program.load()?;
        program.attach(WATCHED, mode)?;
    }
    wire.send_steadily(packet, PER_SECOND, TURN)?;
    cost(&ebpf, name)
}

/// Returns the cost of a packet for our program, which shows one packet of `ratio` (0: none) to a reader that polls.
fn ours(hook: Hook, flows: bool, ratio: u32, wire: &Wire, packet: &[u8]) -> Result<u64> {
    let (mut program, loaded::Ring(mut ring)) = Loaded::new(hook, flows, RING_BITS, control(ratio))?;
    program.attach(WATCHED)?;
    let sent = reader::beside(&mut ring, reader::in_turns, || wire.send_steadily(packet, PER_SECOND, TURN))?;
    let counters = program.counters()?;
    ensure!(counters.seen().packets >= sent && counters.lost == 0, "{sent} sent: {counters:?}");
    cost(program.ebpf(), hook.program())
}

/// Returns the nanoseconds of a run of the program, as the kernel accounts them.
fn cost(ebpf: &Ebpf, program: &str) -> Result<u64> {
    let info = ebpf.program(program).context("no program")?.info()?;
    ensure!(info.run_count() > 0, "`{program}` has not run");
    Ok(u64::try_from(info.run_time().as_nanos())? / info.run_count())
}
