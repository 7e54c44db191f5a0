//! The shared memory. All that is unsafe about it is in this file.

use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicU64, Ordering};

use aya::maps::Map;
use memmap2::{MmapOptions, MmapRaw};
use packet_record::{Position, Record, map};

use crate::{RingError, Size};

/// Both maps' memory. It stays when the maps are closed.
#[derive(Debug)]
pub(crate) struct Memory {
    records: Values<Record>,
    positions: Values<Position>,
    size: Size,
}

impl Memory {
    pub(crate) fn of(records: &Map, positions: &Map, size: Size) -> Result<Self, RingError> {
        Ok(Self {
            records: Values::of(records, map::RECORDS, size.cpus() * size.records())?,
            positions: Values::of(positions, map::POSITIONS, size.cpus())?,
            size,
        })
    }

    /// How many records the program has written on `cpu`: whole ones.
    pub(crate) fn written(&self, cpu: usize) -> u64 {
        // SAFETY: a valid position, whose words are only ever used as atomics here.
        unsafe { AtomicU64::from_ptr(&raw mut (*self.positions.at(cpu)).written) }.load(Ordering::Acquire)
    }

    /// Lets the program write into the records before number `read`.
    pub(crate) fn free(&self, cpu: usize, read: u64) {
        // SAFETY: as above.
        unsafe { AtomicU64::from_ptr(&raw mut (*self.positions.at(cpu)).read) }
            .store(read, Ordering::Release);
    }

    /// Record `number` of `cpu`, which is written and not free.
    pub(crate) fn record(&self, cpu: usize, number: u64) -> &Record {
        #[expect(clippy::cast_possible_truncation, reason = "what it could lose is masked off")]
        let within = number as usize & (self.size.records() - 1);
        // SAFETY: a valid record, whatever its bytes are. The program does not write into one that is written and not
        // free, and only who holds `&mut Ring` frees one.
        unsafe { &*self.records.at(cpu * self.size.records() + within) }
    }
}

/// The memory of an array map.
#[derive(Debug)]
struct Values<Value> {
    memory: MmapRaw,
    entries: usize,
    value: PhantomData<Value>,
}

impl<Value> Values<Value> {
    fn of(map: &Map, name: &'static str, entries: usize) -> Result<Self, RingError> {
        let Map::Array(data) = map else { return Err(RingError::Absent(name)) };
        let memory = MmapOptions::new()
            .len(entries * size_of::<Value>())
            .map_raw(data.fd().as_fd().as_raw_fd())
            .map_err(|source| RingError::Mapping { map: name, source })?;
        Ok(Self { memory, entries, value: PhantomData })
    }

    fn at(&self, index: usize) -> *mut Value {
        assert!(index < self.entries);
        // SAFETY: within the mapping, which begins with a page, and so aligned.
        unsafe { self.memory.as_mut_ptr().cast::<Value>().add(index) }
    }
}
