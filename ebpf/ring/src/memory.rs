//! The memory that the program shares with user space. All unsafe code about it is in this file.

use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicU64, Ordering};

use aya::maps::Map;
use memmap2::{MmapOptions, MmapRaw};
use packet_record::{Record, RingIndexes, map};

use crate::{RingError, Size};

/// The memory of both maps. It stays mapped when the maps are closed.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Mapped read-only: only the program writes records.
    records: Values<Record>,
    indexes: Values<RingIndexes>,
    size: Size,
}

impl Memory {
    pub(crate) fn of(records: &Map, indexes: &Map, size: Size) -> Result<Self, RingError> {
        let record_count = size.cpus() * size.records();
        Ok(Self {
            records: Values::of(records, map::RECORDS, record_count, Access::Read)?,
            indexes: Values::of(indexes, map::RING_INDEXES, size.cpus(), Access::ReadAndWrite)?,
            size,
        })
    }

    /// Returns the number of complete records that the program has written on `cpu`.
    pub(crate) fn written(&self, cpu: usize) -> u64 {
        // SAFETY: a valid pointer, and this process uses these words as atomics only.
        unsafe { AtomicU64::from_ptr(&raw mut (*self.indexes.at(cpu)).written) }.load(Ordering::Acquire)
    }

    /// Lets the program write into the records before number `read`.
    pub(crate) fn free(&self, cpu: usize, read: u64) {
        // SAFETY: as in `written`.
        unsafe { AtomicU64::from_ptr(&raw mut (*self.indexes.at(cpu)).read) }.store(read, Ordering::Release);
    }

    /// Returns record `number` of `cpu`, which has to be written and not freed.
    pub(crate) fn record(&self, cpu: usize, number: u64) -> &Record {
        #[expect(clippy::cast_possible_truncation, reason = "the mask removes the bits that could be lost")]
        let within = number as usize & (self.size.records() - 1);
        // SAFETY: every byte pattern is a record. The program does not write into a record that is written and not
        // freed, and freeing one takes `&mut Ring`.
        unsafe { &*self.records.at(cpu * self.size.records() + within) }
    }
}

/// What user space may do with the memory of a map.
#[derive(Clone, Copy, Debug)]
enum Access {
    Read,
    ReadAndWrite,
}

/// The memory of an array map.
#[derive(Debug)]
struct Values<Value> {
    memory: MmapRaw,
    entries: usize,
    value: PhantomData<Value>,
}

impl<Value> Values<Value> {
    fn of(map: &Map, name: &'static str, entries: usize, access: Access) -> Result<Self, RingError> {
        let Map::Array(data) = map else { return Err(RingError::Absent(name)) };
        let file = data.fd().as_fd().as_raw_fd();
        let mut options = MmapOptions::new();
        options.len(entries * size_of::<Value>());
        let memory = match access {
            Access::Read => options.map_raw_read_only(file),
            Access::ReadAndWrite => options.map_raw(file),
        };
        let memory = memory.map_err(|source| RingError::Mapping { map: name, source })?;
        Ok(Self { memory, entries, value: PhantomData })
    }

    fn at(&self, index: usize) -> *mut Value {
        assert!(index < self.entries);
        // SAFETY: within the mapping, which begins with a page and is therefore aligned.
        unsafe { self.memory.as_mut_ptr().cast::<Value>().add(index) }
    }
}
