//! The loaded program and its maps.

use super::attach::{self, AttachError, Hook, Mode};
use aya::maps::{Array, MapData, MapError, PerCpuArray, PerCpuHashMap};
use aya::programs::{Program, ProgramError, ProgramFd};
use aya::{Ebpf, EbpfError, EbpfLoader};
use packet_record::{Control, Counters, Cpu, FlowKey, Record, Traffic, global, map, program};
use packet_ring::{Ring, RingError, Size};
use std::error::Error;
use std::fmt;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

/// How many records the ring holds for each CPU, as a power of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingSize {
    bits: u32,
}

impl Default for RingSize {
    /// 2,048 records for each CPU, 192 KiB: four seconds of the default budget.
    fn default() -> Self {
        Self { bits: 11 }
    }
}

impl RingSize {
    /// Chooses the size for a budget of rows a second, shared by so many interfaces in one process.
    ///
    /// From 10,000 rows a second on, the ring holds what arrives while the reader does not run for 100 ms. Where a process
    /// has many interfaces, their rings are the largest part of its memory, and are made smaller.
    #[must_use]
    pub fn choose(budget: u32, interfaces: usize) -> Self {
        match (budget, interfaces) {
            (10_000.., 0..=4) => Self { bits: 15 },
            (_, 0..=8) => Self::default(),
            _ => Self { bits: 10 },
        }
    }

    #[must_use]
    pub fn records(self) -> usize {
        1 << self.bits
    }
}

/// A loaded program, attached or not. Dropping it detaches it and frees all it had in the kernel.
pub struct Capture {
    first: (Mode, ProgramFd),
    /// Where the driver does not take the first.
    fallback: Option<(Mode, ProgramFd)>,
    link: Option<(Mode, OwnedFd)>,
    ring: Ring,
    cpus: PerCpuArray<MapData, Cpu>,
    control: Array<MapData, Control>,
    flows: Option<PerCpuHashMap<MapData, FlowKey, Traffic>>,
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capture")
            .field("first", &self.first.0)
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the kernel does not take the program: {cause}{hint}")]
    Refused { cause: String, hint: &'static str },
    #[error("the program's object has no `{0}`")]
    Absent(&'static str),
}

impl LoadError {
    /// Tells the whole chain of causes, and what is needed if permission is what is missing.
    fn refused(error: &(dyn Error + 'static)) -> Self {
        let mut cause = error.to_string();
        let mut denied = false;
        let mut next = Some(error);
        while let Some(error) = next {
            let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
            denied |= kind == Some(io::ErrorKind::PermissionDenied);
            let text = error.to_string();
            if !cause.contains(&text) {
                cause.push_str(": ");
                cause.push_str(&text);
            }
            next = error.source();
        }
        let hint =
            if denied { "\nhint: CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are needed, or root" } else { "" };
        Self::Refused { cause, hint }
    }
}

impl From<EbpfError> for LoadError {
    fn from(error: EbpfError) -> Self {
        Self::refused(&error)
    }
}

impl From<ProgramError> for LoadError {
    fn from(error: ProgramError) -> Self {
        Self::refused(&error)
    }
}

impl From<MapError> for LoadError {
    fn from(error: MapError) -> Self {
        Self::refused(&error)
    }
}

impl From<RingError> for LoadError {
    fn from(error: RingError) -> Self {
        Self::refused(&error)
    }
}

impl Capture {
    /// Loads the program for `hook`; with `flows`, it adds up who talks to whom.
    pub fn load(hook: Hook, flows: bool, ring: RingSize) -> Result<Self, LoadError> {
        let enabled = u8::from(flows);
        let size = Size::with_bits(ring.bits)?;
        let mut loader = EbpfLoader::new();
        size.apply(loader.override_global(global::FLOWS, &enabled, true));
        let mut ebpf = loader.load(packet_object::PROGRAM)?;
        let (first, fallback) = hook.modes();
        let first = load(&mut ebpf, first)?;
        let fallback = fallback.map(|mode| load(&mut ebpf, mode)).transpose()?;
        let ring = Ring::take(&mut ebpf, size)?;
        let mut take = |name: &'static str| ebpf.take_map(name).ok_or(LoadError::Absent(name));
        Ok(Self {
            ring,
            cpus: take(map::CPU)?.try_into()?,
            control: take(map::CONTROL)?.try_into()?,
            flows: if flows { Some(take(map::FLOWS)?.try_into()?) } else { None },
            link: None,
            first,
            fallback,
        })
    }

    /// Puts the program on the interface; an attachment it had ends first.
    pub fn attach(&mut self, interface: &str, index: u32) -> Result<Mode, AttachError> {
        self.detach();
        let put = |(mode, program): &(Mode, ProgramFd)| {
            attach::attach(program.as_fd(), interface, index, *mode).map(|link| (*mode, link))
        };
        let link = match (put(&self.first), &self.fallback) {
            (Err(AttachError::Refused { source, .. }), Some(fallback)) => {
                log::info!(
                    "`{interface}`: the driver does not take the program ({source}); using {} mode",
                    fallback.0
                );
                put(fallback)?
            }
            (outcome, _) => outcome?,
        };
        let mode = link.0;
        self.link = Some(link);
        Ok(mode)
    }

    /// Takes the program off the interface. What it counted and recorded can still be read.
    pub fn detach(&mut self) {
        self.link = None;
    }

    #[must_use]
    pub fn mode(&self) -> Option<Mode> {
        self.link.as_ref().map(|(mode, _)| *mode)
    }

    /// Reads at most `limit` records of the ring, and returns how many it found.
    pub fn read(&mut self, limit: usize, visit: impl FnMut(&Record)) -> usize {
        self.ring.read(limit, visit)
    }

    /// The counters' sum. A processor in the middle of a packet is asked again.
    pub fn counters(&self) -> Result<Counters, MapError> {
        const READINGS: usize = 4;
        let mut sum = Counters::default();
        for _ in 0..READINGS {
            let cpus = self.cpus.get(&0, 0)?;
            sum = Counters::default();
            for cpu in cpus.iter() {
                sum += cpu.counters;
            }
            if cpus.iter().all(|cpu| cpu.counters.balanced()) {
                break;
            }
        }
        Ok(sum)
    }

    /// Tells the program how much to show and which traffic is our own.
    pub fn control(&mut self, control: Control) -> Result<(), MapError> {
        self.control.set(0, control, 0)
    }

    /// Every flow of the map. None if flows are not added up.
    #[must_use]
    pub fn flows(&self) -> Option<Vec<(FlowKey, Traffic)>> {
        let flows = self.flows.as_ref()?;
        let sum = |values: &[Traffic]| {
            let mut sum = Traffic::default();
            for traffic in values {
                sum += *traffic;
            }
            sum
        };
        // An entry that goes away while it is read is left out.
        Some(flows.iter().flatten().map(|(key, values)| (key, sum(&values))).collect())
    }

    /// Takes flows out of the map.
    pub fn forget(&mut self, keys: &[FlowKey]) {
        if let Some(flows) = &mut self.flows {
            for key in keys {
                // One that is gone already is as good.
                let _ = flows.remove(key);
            }
        }
    }
}

/// Has the kernel take a mode's program.
fn load(ebpf: &mut Ebpf, mode: Mode) -> Result<(Mode, ProgramFd), LoadError> {
    let name = match mode {
        Mode::Driver => program::XDP,
        Mode::Generic => program::XDP_GENERIC,
        Mode::Tcx => program::TCX,
    };
    let program = ebpf.program_mut(name).ok_or(LoadError::Absent(name))?;
    match program {
        Program::Xdp(program) => program.load()?,
        Program::SchedClassifier(program) => program.load()?,
        _ => return Err(LoadError::Absent(name)),
    }
    Ok((mode, program.fd()?.try_clone().map_err(ProgramError::from)?))
}
