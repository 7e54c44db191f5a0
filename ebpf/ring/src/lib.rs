//! The user-space side of the ring: gives its maps their size, maps their memory, and reads the records.
//!
//! Nothing here calls the kernel once the memory is mapped. The rules of who writes what: [`packet_record::Position`].

mod memory;
mod size;

use aya::Ebpf;
use packet_record::{Record, map};

use crate::memory::Memory;
pub use crate::size::Size;

/// Why there is no ring to read.
#[derive(Debug, thiserror::Error)]
pub enum RingError {
    /// The object is another one.
    #[error("the program's object has no map `{0}`")]
    Absent(&'static str),
    /// The kernel does not let us.
    #[error("cannot map the memory of `{map}`")]
    Mapping { map: &'static str, source: std::io::Error },
    /// The number of possible CPUs, for each of which there is a part.
    #[error("cannot read how many CPUs there can be")]
    Cpus(#[source] std::io::Error),
}

/// Records that are freed at once: the program reads where that is for each packet, and would wait for each change.
const FREE_EVERY: u64 = 64;

/// The records that are not read yet, of all CPUs.
#[derive(Debug)]
pub struct Ring {
    memory: Memory,
    /// What is read of each CPU's part: nobody else writes it.
    read: Vec<u64>,
    /// Kept for its room.
    parts: Vec<Part>,
}

/// The unread records of one CPU.
#[derive(Clone, Copy, Debug)]
struct Part {
    cpu: usize,
    next: u64,
    end: u64,
}

impl Ring {
    /// Takes the ring's maps out of a program that was loaded with this `size`.
    pub fn take(ebpf: &mut Ebpf, size: Size) -> Result<Self, RingError> {
        let mut take = |name| ebpf.take_map(name).ok_or(RingError::Absent(name));
        let memory = Memory::of(&take(map::RECORDS)?, &take(map::POSITIONS)?, size)?;
        Ok(Self { memory, read: vec![0; size.cpus()], parts: Vec::with_capacity(size.cpus()) })
    }

    /// Visits the records that are there now, at most `limit`, the oldest first whichever CPU it is from. Returns how
    /// many they were.
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

    /// The part whose next record is the oldest.
    fn oldest(&self) -> Option<usize> {
        let time = |part: &Part| self.memory.record(part.cpu, part.next).time;
        (0..self.parts.len()).min_by_key(|index| time(&self.parts[*index]))
    }
}
