use std::fs;
use std::io;

use aya::EbpfLoader;
use packet_record::{global, map};

use crate::RingError;

/// The size of a ring: a number of records for each CPU that the machine can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// As in [`global::RING_BITS`].
    bits: u32,
    /// One more than the highest CPU number.
    cpus: u32,
}

impl Size {
    /// Returns a size with `1 << bits` records for each CPU, one of which is the one being written. More than 20 bits,
    /// 96 MiB a CPU, count as 20.
    pub fn with_bits(bits: u32) -> Result<Self, RingError> {
        let possible = fs::read_to_string("/sys/devices/system/cpu/possible").map_err(RingError::Cpus)?;
        let cpus = 1 + highest(&possible).ok_or_else(|| {
            RingError::Cpus(io::Error::other(format!("`{}` is not a list of CPUs", possible.trim())))
        })?;
        Ok(Self { bits: bits.min(20), cpus })
    }

    /// Makes `loader` load the program with maps of this size.
    pub fn apply<'a>(&'a self, loader: &mut EbpfLoader<'a>) {
        // "Processor Ordering" of the Intel 64 manual (volume 3, section 9.2.2): writes are seen in their order.
        const STORES_IN_ORDER: u8 = cfg!(target_arch = "x86_64") as u8;
        loader
            .override_global(global::STORES_IN_ORDER, &STORES_IN_ORDER, true)
            .override_global(global::RING_BITS, &self.bits, true)
            .map_max_entries(map::RECORDS, self.cpus << self.bits)
            .map_max_entries(map::RING_INDEXES, self.cpus);
    }

    /// Returns the number of rings. It is one more than the highest CPU number, and not the number of CPUs, because the
    /// program takes its CPU number for the index, and the numbers may have gaps (`0,2-3`).
    #[must_use]
    pub fn cpus(self) -> usize {
        self.cpus as usize
    }

    /// Returns the number of records of one CPU, a power of two.
    pub(crate) fn records(self) -> usize {
        1 << self.bits
    }
}

/// Returns the highest number of a list such as `0-3,8` (cpulist format of Linux, Documentation/admin-guide/cputopology.rst).
fn highest(list: &str) -> Option<u32> {
    let ends = list.trim().split(',').map(|range| range.rsplit('-').next()?.parse::<u32>().ok());
    // Far above what any kernel is built for (NR_CPUS), and far below what would overflow a map's size.
    ends.collect::<Option<Vec<_>>>()?.into_iter().max().filter(|highest| *highest < 1 << 11)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_has_room_for_the_highest_cpu_even_if_numbers_are_missing() {
        let lists = ["0", "0-7\n", "0-3,8-11", "0,5", "", "0-x", "0-99999999"];
        assert_eq!(lists.map(highest), [Some(0), Some(7), Some(11), Some(5), None, None, None]);
    }
}
