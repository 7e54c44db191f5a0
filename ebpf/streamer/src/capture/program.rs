//! The loaded program and its maps.

use super::attach::{self, AttachError, Directions, Hook, Mode, Plan};
use super::bpf::{self, AttachPoint};
use super::packets::Packets;
use super::{Device, LinkType, Reception};
use crate::filter::{Expression, FilterError};
use crate::flow::{FlowGrowth, FlowReader};
use aya::maps::{Array, MapData, MapError, PerCpuArray};
use aya::programs::{Program, ProgramError, ProgramFd};
use aya::{Ebpf, EbpfError, EbpfLoader};
use packet_record::{CaptureHead, Control, Counters, Cpu, Record, global, map, program};
use packet_ring::{FlowOptions, Flows, Ring, RingError, Size};
use std::error::Error;
use std::fmt;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

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

/// What the user asks of a capture.
#[derive(Debug, Clone, Default)]
pub struct CaptureOptions {
    pub hook: Hook,
    pub directions: Directions,
    pub reception: Reception,
    /// Whether packets are counted by flow.
    pub flows: bool,
    pub filter: Option<Expression>,
    /// How many bytes of each packet are copied for [`Capture::read_packets`]; 0 for none.
    pub snaplen: u32,
}

/// A loaded program, attached or not. Dropping it detaches it and frees everything that it has in the kernel.
pub struct Capture {
    options: CaptureOptions,
    link_type: LinkType,
    plan: Plan,
    /// The programs for received packets, the one to try first at the beginning.
    received: Vec<(Mode, ProgramFd)>,
    /// The program for sent packets.
    sent: Option<ProgramFd>,
    attachment: Option<Attachment>,
    ring: Ring,
    packets: Option<Packets>,
    cpus: PerCpuArray<MapData, Cpu>,
    /// The last reading of each CPU's counters that was not torn.
    balanced: Vec<Counters>,
    control: Array<MapData, Control>,
    flows: Option<FlowReader>,
}

/// The links of an attached program.
#[derive(Debug)]
struct Attachment {
    mode: Mode,
    links: Vec<OwnedFd>,
    /// Keeps the memberships of [`Reception`].
    _reception: Option<OwnedFd>,
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capture")
            .field("options", &self.options)
            .field("attachment", &self.attachment)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the kernel refuses the packet program: {cause}{hint}")]
    Refused { cause: String, hint: &'static str },
    #[error(
        "the kernel refuses the buffers for whole packets: {cause}\n\
         hint: allow the system call perf_event_open and 4 MiB of locked memory for each CPU (in a unit: \
         SystemCallFilter=perf_event_open and LimitMEMLOCK=infinity), or remove --write"
    )]
    Buffers { cause: String },
    #[error("the object of the packet program has no `{0}`")]
    Absent(&'static str),
    #[error(transparent)]
    Attach(#[from] AttachError),
    #[error(transparent)]
    Filter(#[from] FilterError),
    #[error(
        "this kernel is built with PREEMPT_RT, where two packets may interrupt each other on one CPU and spoil the counters\n\
         hint: use a kernel without PREEMPT_RT"
    )]
    Realtime,
}

impl LoadError {
    /// Returns an error with the whole chain of causes, and a hint if permission is missing.
    pub(super) fn refused(error: &(dyn Error + 'static)) -> Self {
        let (cause, denied) = causes(error);
        let hint = if denied {
            "\nhint: grant CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, or run as root"
        } else if kernel_is_older_than_tested() {
            "\nhint: use Linux 6.1 or newer, the oldest kernel that is tested"
        } else {
            ""
        };
        Self::Refused { cause, hint }
    }

    /// Returns the error of buffers for whole packets that the kernel does not make.
    pub(super) fn buffers(error: &(dyn Error + 'static)) -> Self {
        Self::Buffers { cause: causes(error).0 }
    }
}

/// Returns the whole chain of causes as one text, and whether permission is missing.
fn causes(error: &(dyn Error + 'static)) -> (String, bool) {
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
    (cause, denied)
}

/// Major and minor numbers of the kernels that the program was tested on: docs/proof.md has the machines.
pub(crate) const TESTED: [(u32, u32); 3] = [OLDEST_TESTED, (6, 12), (6, 18)];
pub(crate) const OLDEST_TESTED: (u32, u32) = (6, 1);

/// The oldest kernel that has all the calls of the program: `bpf_xdp_get_buff_len` is the newest of them.
pub(crate) const OLDEST_WITH_CALLS: (u32, u32) = (5, 18);

/// Returns major and minor number of a kernel's release.
pub(crate) fn version(release: &str) -> (u32, u32) {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|text| text.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

fn kernel_is_older_than_tested() -> bool {
    version(&rustix::system::uname().release().to_string_lossy()) < OLDEST_TESTED
}

/// Returns whether the kernel runs softirqs preemptibly: the text of its build says so (init/Makefile of Linux), and with the
/// patches of `PREEMPT_RT` it has this file, with a 1 in it.
fn is_realtime(build: &str, file: &Path) -> bool {
    build.split_whitespace().any(|word| word == "PREEMPT_RT")
        || std::fs::read_to_string(file).is_ok_and(|text| text.trim() == "1")
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
    /// Loads the programs for an interface.
    pub fn load(
        interface: &str,
        index: u32,
        options: CaptureOptions,
        ring: RingSize,
    ) -> Result<Self, LoadError> {
        let build = rustix::system::uname().version().to_string_lossy().into_owned();
        if is_realtime(&build, Path::new("/sys/kernel/realtime")) {
            return Err(LoadError::Realtime);
        }
        let device = Device::find(interface, index)
            .map_err(|source| AttachError::Unknown { interface: interface.to_owned(), source })?;
        let plan = attach::plan(options.hook, interface, &device)?;
        if options.directions.sent() && matches!(options.hook, Hook::Xdp(_)) {
            return Err(AttachError::XdpCannotSend.into());
        }
        let filter = options.filter.as_ref().map(|filter| filter.compile(device.link)).transpose()?;

        let size = Size::with_bits(ring.bits)?;
        let flows = FlowOptions::new(options.flows, fastrand::u64(..), size);
        let filtered = u8::from(filter.is_some());
        let no_ethernet = u8::from(device.link == LinkType::Ip);
        let mut loader = EbpfLoader::new();
        loader.override_global(global::FILTER, &filtered, true).override_global(
            global::NO_ETHERNET,
            &no_ethernet,
            true,
        );
        loader.override_global(global::SNAPLEN, &options.snaplen, true);
        flows.apply(&mut loader);
        size.apply(&mut loader);
        let mut ebpf = loader.load(packet_object::PROGRAM)?;

        let mut received = Vec::new();
        if options.directions.received() {
            for mode in [Some(plan.first), plan.fallback].into_iter().flatten() {
                received.push((mode, load(&mut ebpf, program_of(mode))?));
            }
        }
        let sent = if options.directions.sent() { Some(load(&mut ebpf, program::TCX_EGRESS)?) } else { None };
        if let Some(filter) = filter {
            let map = ebpf.map_mut(map::FILTER).ok_or(LoadError::Absent(map::FILTER))?;
            Array::try_from(map)?.set(0, filter, 0)?;
        }
        let ring = Ring::take(&mut ebpf, size)?;
        let flows =
            if options.flows { Some(FlowReader::new(Flows::take(&mut ebpf, size)?, size)) } else { None };
        let mut take = |name: &'static str| ebpf.take_map(name).ok_or(LoadError::Absent(name));
        Ok(Self {
            link_type: device.link,
            plan,
            received,
            sent,
            attachment: None,
            ring,
            cpus: take(map::CPU)?.try_into()?,
            balanced: Vec::new(),
            control: take(map::CONTROL)?.try_into()?,
            packets: if options.snaplen > 0 { Some(Packets::open(take(map::PACKETS)?)?) } else { None },
            flows,
            options,
        })
    }

    /// Attaches the programs to the interface. An attachment that they have ends first.
    pub fn attach(&mut self, interface: &str, index: u32) -> Result<Mode, AttachError> {
        self.detach();
        let device = Device::find(interface, index)
            .map_err(|source| AttachError::Unknown { interface: interface.to_owned(), source })?;
        if device.link != self.link_type {
            return Err(AttachError::LinkTypeChanged { interface: interface.to_owned() });
        }
        let reception = (self.options.reception.start(index))
            .map_err(|source| AttachError::Reception { interface: interface.to_owned(), source })?;
        let mut mode = Mode::Tcx;
        let mut links = Vec::new();
        let mut programs = self.received.iter().peekable();
        while let Some((wanted, program)) = programs.next() {
            match attach::attach(program.as_fd(), interface, index, *wanted, wanted.point()) {
                Ok(link) => {
                    links.push(link);
                    mode = *wanted;
                    break;
                }
                Err(error @ (AttachError::Refused { .. } | AttachError::NoTcx))
                    if programs.peek().is_some() =>
                {
                    log::info!(
                        "`{interface}`: {wanted} mode does not work, so another one is tried: {error}"
                    );
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(program) = &self.sent {
            links.push(attach::attach(program.as_fd(), interface, index, Mode::Tcx, AttachPoint::TcxEgress)?);
        }
        self.attachment = Some(Attachment { mode, links, _reception: reception });
        Ok(mode)
    }

    /// Detaches the programs. What they counted and recorded can still be read.
    pub fn detach(&mut self) {
        self.attachment = None;
    }

    /// Returns the index of the interface that all links are attached to, by asking the links themselves. Somebody else may
    /// have detached one, and the interface may be gone even if another one has its name and its index.
    #[must_use]
    pub fn attached_to(&self) -> Option<u32> {
        let mut indexes = self.attachment.as_ref()?.links.iter().map(|link| bpf::link_info(link.as_fd()));
        let first = indexes.next()?.ok()?.interface()?;
        let is_same = indexes.all(|info| info.is_ok_and(|info| info.interface() == Some(first)));
        is_same.then_some(first)
    }

    /// Returns why the program is attached in this mode.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self.mode() {
            Some(mode) if mode == self.plan.first => self.plan.reason,
            _ => "the mode before it does not work here",
        }
    }

    #[must_use]
    pub fn mode(&self) -> Option<Mode> {
        self.attachment.as_ref().map(|attachment| attachment.mode)
    }

    /// Reads at most `limit` records of the ring, and returns how many it found.
    pub fn read(&mut self, limit: usize, visit: impl FnMut(&Record)) -> usize {
        self.ring.read(limit, visit)
    }

    /// Returns what the packets of the interface begin with.
    #[must_use]
    pub fn link_type(&self) -> LinkType {
        self.link_type
    }

    /// Visits the bytes of every packet that was copied since the last call, one CPU after the other. Returns how many were
    /// lost because the buffer of their CPU was full.
    pub fn read_packets(&mut self, visit: impl FnMut(&CaptureHead, &[u8])) -> u64 {
        self.packets.as_mut().map_or(0, |packets| packets.read(visit))
    }

    /// Returns the sum of all CPUs' counters.
    ///
    /// A copy may be torn if its CPU handles a packet at the same time. For each CPU by itself, a torn copy is read again
    /// up to three times; if all are torn, the CPU's last whole copy stands. So the sum always balances, and what is
    /// missing from it comes with the next reading.
    pub fn counters(&mut self) -> Result<Counters, MapError> {
        const READINGS: usize = 4;
        let mut missing = true;
        for _ in 0..READINGS {
            if !missing {
                break;
            }
            let cpus = self.cpus.get(&0, 0)?;
            self.balanced.resize(cpus.len(), Counters::default());
            missing = keep_balanced(&mut self.balanced, cpus.iter().map(|cpu| cpu.counters));
        }
        let mut sum = Counters::default();
        for counters in &self.balanced {
            sum += *counters;
        }
        if let Some(flows) = &self.flows {
            sum.untracked = flows.untracked();
        }
        Ok(sum)
    }

    /// Gives the program new settings.
    pub fn control(&mut self, control: Control) -> Result<(), MapError> {
        self.control.set(0, control, 0)
    }

    /// Returns all flows with their growth since the last call, or None if packets are not counted by flow.
    pub fn flows(&mut self) -> Option<Vec<FlowGrowth>> {
        let counted = self.counters().ok()?.flows;
        let reader = self.flows.as_mut()?;
        match reader.read(counted) {
            Ok(flows) => Some(flows),
            Err(error) => {
                log::warn!("cannot read the flow table: {error}");
                Some(Vec::new())
            }
        }
    }
}

/// Takes over the copies that are balanced, and returns whether one was not. A copy that is behind the one of before was
/// torn too.
fn keep_balanced(balanced: &mut [Counters], copies: impl Iterator<Item = Counters>) -> bool {
    let mut missing = false;
    for (kept, copy) in balanced.iter_mut().zip(copies) {
        if copy.balanced() && copy.seen().packets >= kept.seen().packets {
            *kept = copy;
        } else {
            missing = true;
        }
    }
    missing
}

const fn program_of(mode: Mode) -> &'static str {
    match mode {
        Mode::Driver => program::XDP,
        Mode::Generic => program::XDP_GENERIC,
        Mode::Tcx => program::TCX,
    }
}

/// Makes the kernel load a program.
fn load(ebpf: &mut Ebpf, name: &'static str) -> Result<ProgramFd, LoadError> {
    let program = ebpf.program_mut(name).ok_or(LoadError::Absent(name))?;
    match program {
        Program::Xdp(program) => program.load()?,
        Program::SchedClassifier(program) => program.load()?,
        _ => return Err(LoadError::Absent(name)),
    }
    Ok(program.fd()?.try_clone().map_err(ProgramError::from)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use packet_record::{Protocol, Traffic};

    fn of(packets: u64, shown: u64) -> Counters {
        Counters { shown, ..Counters::all_of(Protocol::Arp, Traffic { packets, bytes: 60 * packets }) }
    }

    /// One CPU is in the middle of a packet in the first reading, the other one in the second.
    #[test]
    fn each_cpu_keeps_its_own_balanced_copy() {
        let mut balanced = vec![Counters::default(); 2];
        assert!(keep_balanced(&mut balanced, [of(5, 5), of(8, 7)].into_iter()));
        assert!(keep_balanced(&mut balanced, [of(7, 6), of(9, 9)].into_iter()));
        assert_eq!(balanced, [of(5, 5), of(9, 9)]);
        assert!(!keep_balanced(&mut balanced, [of(7, 7), of(9, 9)].into_iter()));
        assert_eq!(balanced, [of(7, 7), of(9, 9)]);
    }

    #[test]
    fn a_realtime_kernel_is_recognised() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let ordinary = "#1 SMP PREEMPT_DYNAMIC Tue Dec  1 07:00:00 UTC 2026";
        assert!(!is_realtime(ordinary, file.path()) && !is_realtime(ordinary, Path::new("/nonexistent")));
        let build = "#1 SMP PREEMPT_RT Debian 6.12.95-1~bpo12+1 (2026-07-05)";
        assert!(is_realtime(build, Path::new("/nonexistent")));
        std::fs::write(file.path(), "1\n").unwrap();
        assert!(is_realtime(ordinary, file.path()));
    }

    #[test]
    fn kernels_are_compared_by_number() {
        assert_eq!((version("6.18.5-rk1"), version("10.1"), version("x")), ((6, 18), (10, 1), (0, 0)));
        assert!(version("5.19.17") < OLDEST_TESTED && version("6.1.0-50-arm64") >= OLDEST_TESTED);
    }
}
