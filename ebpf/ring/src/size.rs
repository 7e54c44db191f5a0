use aya::EbpfLoader;
use packet_record::{global, map};

use crate::RingError;

/// How large a ring is: so many records for each CPU that the machine can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// As in [`global::RING_BITS`].
    bits: u32,
    cpus: u32,
}

impl Size {
    /// Room for `1 << bits` records of each CPU (one of which is the one being written). More than 20 bits, 96 MiB a
    /// CPU, are taken as 20.
    pub fn with_bits(bits: u32) -> Result<Self, RingError> {
        let cpus = aya::util::nr_cpus().map_err(|(_, error)| RingError::Cpus(error))?;
        let cpus = u32::try_from(cpus).map_err(|error| RingError::Cpus(std::io::Error::other(error)))?;
        Ok(Self { bits: bits.min(20), cpus })
    }

    /// Has the program loaded with maps of this size.
    pub fn apply<'a>(&'a self, loader: &mut EbpfLoader<'a>) {
        loader
            .override_global(global::RING_BITS, &self.bits, true)
            .map_max_entries(map::RECORDS, self.cpus << self.bits)
            .map_max_entries(map::POSITIONS, self.cpus);
    }

    pub(crate) fn cpus(self) -> usize {
        self.cpus as usize
    }

    /// Records of one CPU, a power of two.
    pub(crate) fn records(self) -> usize {
        1 << self.bits
    }
}
