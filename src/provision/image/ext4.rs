//! Reads a root filesystem that was kept, as far as it can be done with little memory and in little time.
//!
//! `ext4_view` trusts some sizes that a filesystem states: it allocates what the superblock and a symlink claim. They are
//! checked here first.

use std::fs::File;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use ext4_view::{Ext4, Ext4Read};
use serde::Serialize;

use super::boot::{self, Boot};
use super::table::{u16_at, u32_at};
use super::volume::Volume;
use crate::config::modules::Hardware;

/// A filesystem that takes longer has been built to do so. A usual one takes milliseconds.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// The number of bytes that are read of a filesystem in total. A usual one takes less than one MiB.
const READ_LIMIT: u64 = 256 << 20;
/// The number of block groups: a disk of 32 GiB has room for 4,096 of the smallest, of 8 MiB.
const GROUP_LIMIT: u64 = 4096;
/// The feature bit of a filesystem whose journal has not been replayed (Linux: `EXT4_FEATURE_INCOMPAT_RECOVER`).
const NEEDS_RECOVERY: u32 = 0x4;
/// Where the superblock begins, in bytes.
const SUPERBLOCK: usize = 1024;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ext4Volume {
    pub label: String,
    pub uuid: String,
    pub boot: Option<Boot>,
}

/// Returns whether a partition begins as an ext4 filesystem does.
pub(super) fn is_ext4(probe: &[u8]) -> bool {
    u16_at(probe, SUPERBLOCK + 0x38) == Some(0xef53)
}

/// Checks the sizes that a superblock states, for a partition of so many bytes. The error says what is wrong.
pub(super) fn check(probe: &[u8], size: u64) -> Result<(), &'static str> {
    let field = |at| u32_at(probe, SUPERBLOCK + at).map(u64::from).ok_or("the superblock is incomplete");
    let block_size = match field(0x18)? {
        exponent @ 0..=6 => 1024 << exponent,
        _ => return Err("the block size is invalid"),
    };
    let is_64_bit = field(0x60)? & 0x80 != 0;
    let high = if is_64_bit { field(0x150)? << 32 } else { 0 };
    let blocks = high | field(0x4)?;
    if blocks.checked_mul(block_size).is_none_or(|bytes| bytes > size) {
        return Err("the filesystem is larger than its partition");
    }
    match field(0x20)? {
        0 => return Err("a block group has no blocks"),
        blocks_per_group if blocks.div_ceil(blocks_per_group) > GROUP_LIMIT => {
            return Err("the filesystem has too many block groups");
        }
        _ => {}
    }
    if field(0x60)? & u64::from(NEEDS_RECOVERY) != 0 {
        return Err("its journal has not been replayed: it was not unmounted");
    }
    Ok(())
}

/// Reads a filesystem. The error says what is wrong with it.
pub(super) fn read(file: File, hardware: &'static Hardware) -> Result<Ext4Volume, String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        // Nobody receives the result after the time limit.
        let _ = sender.send(read_all(file, hardware));
    });
    match receiver.recv_timeout(TIME_LIMIT) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => {
            Err(format!("reading it takes longer than {} s", TIME_LIMIT.as_secs()))
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => Err("its structure is invalid".to_owned()),
    }
}

fn read_all(file: File, hardware: &'static Hardware) -> Result<Ext4Volume, String> {
    let reader = BoundedReader { file, left: READ_LIMIT };
    let volume = Volume(Ext4::load(Box::new(reader)).map_err(|error| error.to_string())?);
    let label = volume.0.label().display().to_string();
    let boot = boot::read(&volume, hardware);
    Ok(Ext4Volume { label, uuid: volume.0.uuid().to_string(), boot })
}

struct BoundedReader {
    file: File,
    left: u64,
}

impl Ext4Read for BoundedReader {
    fn read(
        &mut self,
        start: u64,
        bytes: &mut [u8],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync + 'static>> {
        self.left = self
            .left
            .checked_sub(bytes.len() as u64)
            .ok_or_else(|| format!("more than {} MiB had to be read", READ_LIMIT >> 20))?;
        self.file.read(start, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u64 = 20 << 20;

    /// The fields of a superblock that are checked, as `mkfs.ext4` writes them.
    fn probe() -> Vec<u8> {
        let mut probe = vec![0; 4096];
        for (at, value) in [(0x4, 20480_u32), (0x18, 0), (0x20, 8192), (0x38, 0xef53), (0x60, 0x2c2)] {
            probe[SUPERBLOCK + at..][..4].copy_from_slice(&value.to_le_bytes());
        }
        probe
    }

    fn with(at: usize, value: u32) -> Vec<u8> {
        let mut probe = probe();
        probe[SUPERBLOCK + at..][..4].copy_from_slice(&value.to_le_bytes());
        probe
    }

    #[test]
    fn a_superblock_must_fit_its_partition() {
        assert!(is_ext4(&probe()));
        assert_eq!(check(&probe(), SIZE), Ok(()));
        for (probe, error) in [
            (with(0x4, u32::MAX), "the filesystem is larger than its partition"),
            (with(0x150, 1), "the filesystem is larger than its partition"),
            (with(0x18, 7), "the block size is invalid"),
            (with(0x20, 0), "a block group has no blocks"),
            (with(0x20, 1), "the filesystem has too many block groups"),
            (with(0x60, 0x2c6), "its journal has not been replayed: it was not unmounted"),
            (vec![0; 100], "the superblock is incomplete"),
        ] {
            assert_eq!(check(&probe, SIZE), Err(error));
        }
    }
}
