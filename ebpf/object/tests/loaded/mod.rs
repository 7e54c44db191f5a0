//! The packet program, loaded into the kernel.
#![allow(dead_code, reason = "tests and benchmarks need different parts")]

use std::collections::HashMap;
use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use aya::maps::{Array, PerCpuArray};
use aya::programs::tc::TcAttachType;
use aya::programs::xdp::XdpMode;
use aya::programs::{SchedClassifier, TestRun, TestRunOptions, Xdp};
use aya::{Ebpf, EbpfLoader};
use packet_record::{Control, Counters, Cpu, Filter, FlowKey, Record, Traffic, global, map, program};
use packet_ring::{FlowOptions, Flows, Size};

#[path = "../../../../tests/requirement/mod.rs"]
mod requirement;

pub(crate) use requirement::skipped;

/// The hook that the program runs at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hook {
    Xdp,
    /// XDP in generic mode, which has a program of its own.
    Generic,
    Tcx,
    /// TCX on what is sent.
    Egress,
    /// TCX on an interface without an Ethernet header.
    Raw,
}

impl Hook {
    /// Returns the name of the program in the object.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Xdp => program::XDP,
            Self::Generic => program::XDP_GENERIC,
            Self::Tcx | Self::Raw => program::TCX,
            Self::Egress => program::TCX_EGRESS,
        }
    }

    /// Returns the shortest length of such a packet for which the kernel runs a program. XDP wants an Ethernet header; a
    /// classifier wants at least a byte after it, and the whole fixed header of IP.
    pub(crate) fn shortest(self, packet: &[u8]) -> usize {
        match (self, packet.get(12..14)) {
            (Self::Xdp | Self::Generic, _) => 14,
            (_, Some([0x08, 0x00])) => 14 + 20,
            (_, Some([0x86, 0xdd])) => 14 + 40,
            _ => 14 + 1,
        }
    }
}

/// The loaded packet program.
pub(crate) struct Loaded {
    ebpf: Ebpf,
    hook: Hook,
    pub(crate) flows: Option<Flows>,
    size: Size,
}

impl Loaded {
    /// Loads the program with a ring of `1 << bits` records for each CPU.
    pub(crate) fn new(hook: Hook, flows: bool, bits: u32, control: Control) -> Result<(Self, Ring)> {
        Self::with_filter(hook, flows, bits, control, None)
    }

    /// Loads the program with a filter.
    pub(crate) fn with_filter(
        hook: Hook,
        flows: bool,
        bits: u32,
        control: Control,
        filter: Option<&Filter>,
    ) -> Result<(Self, Ring)> {
        let size = Size::with_bits(bits)?;
        // The same flows are in the same places in each run.
        let options = FlowOptions::new(flows, 0x5eed, size);
        let filtered = u8::from(filter.is_some());
        let raw = u8::from(hook == Hook::Raw);
        let mut loader = EbpfLoader::new();
        loader.override_global(global::FILTER, &filtered, true).override_global(
            global::NO_ETHERNET,
            &raw,
            true,
        );
        options.apply(&mut loader);
        size.apply(&mut loader);
        let mut ebpf = loader.load(packet_object::PROGRAM)?;
        match hook {
            Hook::Xdp | Hook::Generic => <&mut Xdp>::try_from(program_mut(&mut ebpf, hook)?)?.load()?,
            Hook::Tcx | Hook::Raw | Hook::Egress => {
                <&mut SchedClassifier>::try_from(program_mut(&mut ebpf, hook)?)?.load()?;
            }
        }
        let ring = packet_ring::Ring::take(&mut ebpf, size)?;
        let flows = if flows { Some(Flows::take(&mut ebpf, size)?) } else { None };
        let mut program = Self { ebpf, hook, flows, size };
        program.set(control)?;
        if let Some(filter) = filter {
            program.set_filter(filter)?;
        }
        Ok((program, Ring(ring)))
    }

    /// Replaces the filter of a program that was loaded with one.
    pub(crate) fn set_filter(&mut self, filter: &Filter) -> Result<()> {
        let map = self.ebpf.map_mut(map::FILTER).context("no filter map")?;
        Ok(Array::try_from(map)?.set(0, *filter, 0)?)
    }

    pub(crate) fn ebpf(&self) -> &Ebpf {
        &self.ebpf
    }

    /// Attaches the program to an interface until this is dropped.
    pub(crate) fn attach(&mut self, interface: &str) -> Result<()> {
        match self.hook {
            Hook::Xdp => self.attach_xdp(interface, XdpMode::default())?,
            Hook::Generic => self.attach_xdp(interface, XdpMode::Skb)?,
            Hook::Tcx | Hook::Raw => self.attach_classifier(interface, TcAttachType::Ingress)?,
            Hook::Egress => self.attach_classifier(interface, TcAttachType::Egress)?,
        }
        Ok(())
    }

    fn attach_classifier(&mut self, interface: &str, direction: TcAttachType) -> Result<()> {
        <&mut SchedClassifier>::try_from(program_mut(&mut self.ebpf, self.hook)?)?
            .attach(interface, direction)?;
        Ok(())
    }

    /// Attaches the XDP program to an interface in this mode, even if it is not the program for the mode.
    pub(crate) fn attach_xdp(&mut self, interface: &str, mode: XdpMode) -> Result<()> {
        <&mut Xdp>::try_from(program_mut(&mut self.ebpf, self.hook)?)?.attach(interface, mode)?;
        Ok(())
    }

    pub(crate) fn set(&mut self, control: Control) -> Result<()> {
        let map = self.ebpf.map_mut(map::CONTROL).context("no control map")?;
        Ok(Array::try_from(map)?.set(0, control, 0)?)
    }

    /// Runs the program `repeat` times on `packet` and returns the nanoseconds of a run, with the kernel's loop.
    pub(crate) fn run(&self, packet: &[u8], repeat: u32) -> Result<u64> {
        let options = TestRunOptions { data_in: Some(packet), repeat, ..TestRunOptions::default() };
        let program = self.ebpf.program(self.hook.program()).context("no program")?;
        let (result, pass) = match self.hook {
            Hook::Xdp | Hook::Generic => (<&Xdp>::try_from(program)?.test_run(options)?, 2),
            Hook::Tcx | Hook::Raw | Hook::Egress => {
                (<&SchedClassifier>::try_from(program)?.test_run(options)?, u32::MAX)
            }
        };
        ensure!(result.return_value == pass, "the program returned {}", result.return_value);
        Ok(u64::try_from(result.duration.as_nanos())?)
    }

    /// Returns the sum of all CPUs' counters.
    pub(crate) fn counters(&self) -> Result<Counters> {
        let cpus: PerCpuArray<_, Cpu> =
            PerCpuArray::try_from(self.ebpf.map(map::CPU).context("no counters")?)?;
        let mut sum = Counters::default();
        for cpu in cpus.get(&0, 0)?.iter() {
            sum += cpu.counters;
        }
        Ok(sum)
    }

    /// Returns the flows, summed over the CPUs, the largest first.
    pub(crate) fn flows(&self) -> Result<Vec<(FlowKey, Traffic)>> {
        let mut sums: HashMap<FlowKey, Traffic> = HashMap::new();
        if let Some(flows) = &self.flows {
            for cpu in 0..self.size.cpus() {
                flows.read(cpu, |_, flow| {
                    *sums.entry(flow.key).or_default() +=
                        Traffic { packets: flow.packets, bytes: flow.bytes };
                })?;
            }
        }
        let mut all: Vec<_> = sums.into_iter().collect();
        all.sort_by_key(|(key, traffic)| (std::cmp::Reverse(traffic.packets), key.source_port));
        Ok(all)
    }
}

fn program_mut(ebpf: &mut Ebpf, hook: Hook) -> Result<&mut aya::programs::Program> {
    ebpf.program_mut(hook.program()).with_context(|| format!("no program for {hook:?}"))
}

/// The program's ring.
pub(crate) struct Ring(pub(crate) packet_ring::Ring);

impl Ring {
    /// Returns the records in the ring with their time set to 0.
    pub(crate) fn records(&mut self) -> Vec<Record> {
        let mut records = Vec::new();
        self.0.read(usize::MAX, |record| records.push(Record { time: 0, ..*record }));
        records
    }
}

/// Returns settings with one push target, as in a real run.
pub(crate) fn control(ratio: u32) -> Control {
    let mut control = Control { ratio, ..Control::default() };
    control.set_push_targets([SocketAddr::from(([192, 0, 2, 80], 3000))]);
    control
}

/// Keeps the thread on `cpu`, so that all its packets are in one ring in their order, and one sampling group follows the
/// other. Does nothing if there is no such CPU.
pub(crate) fn stay_on(cpu: usize) {
    // SAFETY: a valid set of CPUs. The kernel refuses one that names no existing CPU.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set);
    }
}

/// Returns whether programs can be loaded. If not, a line says that `test` is skipped.
pub(crate) fn may_load(test: &str) -> bool {
    // SAFETY: no arguments, cannot fail.
    let root = unsafe { libc::geteuid() } == 0;
    if !root {
        skipped(test, "loading a BPF program needs root");
    }
    root
}
