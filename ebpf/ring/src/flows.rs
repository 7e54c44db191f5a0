use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _};

use aya::maps::{Map, MapData};
use aya::{Ebpf, EbpfLoader};
use packet_record::{FLOW_SET_BITS, FLOW_WAYS, FlowEntry, FlowSet, global, map};

use crate::{RingError, Size};

/// The flow tables of all CPUs.
#[derive(Debug)]
pub struct Flows {
    sets: MapData,
    cpus: usize,
}

/// The size and the seed of the flow tables.
#[derive(Clone, Copy, Debug)]
pub struct FlowOptions {
    enabled: u8,
    seed: u64,
    sets: u32,
}

/// `BPF_MAP_LOOKUP_BATCH` of `enum bpf_cmd` in linux/bpf.h.
const BPF_MAP_LOOKUP_BATCH: libc::c_long = 24;

/// The number of sets that are read with one system call: 90 KiB.
const BATCH: usize = 256;

/// The part of `union bpf_attr` that `BPF_MAP_LOOKUP_BATCH` reads.
#[repr(C)]
struct LookupBatch {
    last: u64,
    next: u64,
    keys: u64,
    values: u64,
    count: u32,
    map: u32,
    element_flags: u64,
    flags: u64,
}

impl FlowOptions {
    /// Returns the options for a machine with as many CPUs as `size` has rings. `seed` should be random.
    #[must_use]
    pub fn new(enabled: bool, seed: u64, size: Size) -> Self {
        let cpus = u32::try_from(size.cpus()).unwrap_or(u32::MAX >> FLOW_SET_BITS);
        Self { enabled: enabled.into(), seed, sets: if enabled { cpus << FLOW_SET_BITS } else { 1 } }
    }

    /// Makes `loader` load the program with these options.
    pub fn apply<'a>(&'a self, loader: &mut EbpfLoader<'a>) {
        loader
            .override_global(global::FLOWS, &self.enabled, true)
            .override_global(global::FLOW_SEED, &self.seed, true)
            .map_max_entries(map::FLOWS, self.sets);
    }
}

impl Flows {
    /// Takes the tables out of a program that was loaded with flows enabled and rings of `size`.
    pub fn take(ebpf: &mut Ebpf, size: Size) -> Result<Self, RingError> {
        match ebpf.take_map(map::FLOWS) {
            Some(Map::Array(sets)) => Ok(Self { sets, cpus: size.cpus() }),
            _ => Err(RingError::Absent(map::FLOWS)),
        }
    }

    /// Visits each flow of `cpu` with the index of its place, which stays the same as long as the flow is in the table.
    pub fn read(&self, cpu: usize, mut visit: impl FnMut(u32, &FlowEntry)) -> io::Result<()> {
        if cpu >= self.cpus {
            return Ok(());
        }
        let first = cpu << FLOW_SET_BITS;
        let end = first + (1 << FLOW_SET_BITS);
        let mut keys = vec![0_u32; BATCH];
        let mut values = vec![FlowSet::default(); BATCH];
        let mut at = first;
        while at < end {
            let count = self.batch(at, BATCH.min(end - at), &mut keys, &mut values)?;
            if count == 0 {
                break;
            }
            for (set, flows) in values.iter().take(count).enumerate() {
                for (way, flow) in flows.flows.iter().enumerate() {
                    if flow.is_whole() {
                        visit(u32::try_from((at + set) * FLOW_WAYS + way).unwrap_or(u32::MAX), flow);
                    }
                }
            }
            at += count;
        }
        Ok(())
    }

    /// Reads `count` sets, beginning at index `at`, and returns how many it read.
    fn batch(&self, at: usize, count: usize, keys: &mut [u32], values: &mut [FlowSet]) -> io::Result<usize> {
        // The kernel begins after the last key of the batch before, and at the first key without one.
        let last = at.checked_sub(1).and_then(|last| u32::try_from(last).ok());
        let mut next = 0_u32;
        let count = count.min(keys.len()).min(values.len());
        let mut attributes = LookupBatch {
            last: last.as_ref().map_or(0, |last| address(last)),
            next: address(&raw mut next),
            keys: address(keys.as_mut_ptr()),
            values: address(values.as_mut_ptr()),
            count: u32::try_from(count).map_err(io::Error::other)?,
            map: u32::try_from(self.sets.fd().as_fd().as_raw_fd()).map_err(io::Error::other)?,
            element_flags: 0,
            flags: 0,
        };
        // SAFETY: the kernel reads the attributes and writes at most `count` keys and values, and one key to `next`. All
        // of that memory is valid during the call, and every byte pattern is a value.
        let outcome = unsafe {
            libc::syscall(libc::SYS_bpf, BPF_MAP_LOOKUP_BATCH, &raw mut attributes, size_of::<LookupBatch>())
        };
        if outcome < 0 {
            let error = io::Error::last_os_error();
            // The end of the map.
            if error.raw_os_error() != Some(libc::ENOENT) {
                return Err(error);
            }
        }
        Ok(count.min(attributes.count as usize))
    }
}

/// Returns a pointer as the kernel takes it in attributes.
fn address<T>(pointer: *const T) -> u64 {
    pointer.expose_provenance() as u64
}
