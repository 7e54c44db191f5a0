//! The user-space side of the ring and of the flow tables: sizes their maps and reads them.
//!
//! A reading of the ring needs no call of the kernel: its memory is mapped. [`packet_record::RingIndexes`] explains the
//! protocol. The flow tables are larger, and are read by copies.

mod flows;
mod memory;
mod size;

use aya::Ebpf;
use packet_record::{Record, map};

pub use crate::flows::{FlowOptions, Flows};
use crate::memory::Memory;
pub use crate::size::Size;

/// The reason why the ring cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RingError {
    /// The object is not the packet program.
    #[error("the program's object has no map `{0}`")]
    Absent(&'static str),
    /// The kernel refuses the mapping.
    #[error("cannot map the memory of `{map}`")]
    Mapping { map: &'static str, source: std::io::Error },
    /// The list of possible CPUs, each of which has a ring, cannot be read.
    #[error("cannot read the list of possible CPUs")]
    Cpus(#[source] std::io::Error),
}

/// The number of records that are freed at once. The program reads the index for each packet, and each change costs it
/// a cache miss.
const FREE_EVERY: u64 = 64;

/// The rings of all CPUs.
#[derive(Debug)]
pub struct Ring {
    memory: Memory,
    /// The read index of each CPU. Only this process writes it.
    read: Vec<u64>,
    /// Empty between two readings, and kept for its capacity.
    parts: Vec<Part>,
}

/// The unread records of one CPU, as of the beginning of a reading.
#[derive(Clone, Copy, Debug)]
struct Part {
    cpu: usize,
    next: u64,
    end: u64,
}

impl Ring {
    /// Takes the ring's maps out of a program that was loaded with `size`.
    pub fn take(ebpf: &mut Ebpf, size: Size) -> Result<Self, RingError> {
        let mut take = |name| ebpf.take_map(name).ok_or(RingError::Absent(name));
        let memory = Memory::of(&take(map::RECORDS)?, &take(map::RING_INDEXES)?, size)?;
        Ok(Self { memory, read: vec![0; size.cpus()], parts: Vec::with_capacity(size.cpus()) })
    }

    /// Visits the records that are in the ring now, at most `limit`, and returns their number. The oldest record comes
    /// first, whichever CPU wrote it.
    pub fn read(&mut self, limit: usize, mut visit: impl FnMut(&Record)) -> usize {
        self.parts.clear();
        for (cpu, next) in self.read.iter().copied().enumerate() {
            let end = self.memory.written(cpu);
            if next != end {
                self.parts.push(Part { cpu, next, end });
            }
        }
        let mut count = 0;
        while count < limit {
            let Some(oldest) = self.oldest() else { break };
            let Part { cpu, next, end } = &mut self.parts[oldest];
            visit(self.memory.record(*cpu, *next));
            *next += 1;
            let (cpu, next, done) = (*cpu, *next, next == end);
            self.read[cpu] = next;
            if done || next.is_multiple_of(FREE_EVERY) {
                self.memory.free(cpu, next);
            }
            if done {
                self.parts.swap_remove(oldest);
            }
            count += 1;
        }
        for part in &self.parts {
            self.memory.free(part.cpu, part.next);
        }
        count
    }

    /// Returns the index of the part whose next record is the oldest.
    fn oldest(&self) -> Option<usize> {
        let time = |part: &Part| self.memory.record(part.cpu, part.next).time;
        (0..self.parts.len()).min_by_key(|index| time(&self.parts[*index]))
    }
}
