//! Keeps the partitions that are read after the stream has passed, as far as their first bytes make them worth it.
//!
//! All FAT partitions of an image share one memory budget, and at most one copy of the image goes to disk.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::layout::SEED_SIZE;
use super::{ext4, fat};
use crate::common::secret_bytes::SecretBytes;

/// The number of bytes of a partition that decide about its contents: ext4's superblock is in the second KiB.
const PROBE: usize = 4096;
/// The memory for all FAT partitions of an image, in bytes: one seed partition fits.
pub(super) const MEMORY_BUDGET: u64 = SEED_SIZE;
/// A run of zeros of this length becomes a hole of the file on disk.
const HOLE: [u8; 4096] = [0; 4096];

/// A partition of a stream that is passing.
pub(super) struct Region {
    start: u64,
    size: u64,
    /// The number of its bytes that have passed.
    passed: u64,
    stage: Stage,
}

enum Stage {
    /// The first bytes, and how many of them have passed.
    Probing(SecretBytes, usize),
    Kept(Kept),
}

/// What is kept of a partition.
pub(super) enum Kept {
    /// A FAT that may hold a seed. Secrets stay in memory, and are zeroed on drop.
    Fat(SecretBytes, usize),
    /// The first bytes of a FAT for which the memory budget has no room.
    LargeFat(SecretBytes),
    /// A sparse file without a name, which the kernel removes when this process ends. Images hold no secrets outside
    /// the seed partition.
    Ext4(File),
    /// A filesystem that states impossible sizes.
    DamagedExt4(&'static str),
    Unknown,
}

impl Region {
    pub(super) fn new(start: u64, size: u64) -> io::Result<Self> {
        let stage = Stage::Probing(SecretBytes::zeroed(PROBE)?, 0);
        Ok(Self { start, size, passed: 0, stage })
    }

    /// Returns whether all of the partition has passed.
    pub(super) fn is_whole(&self) -> bool {
        self.passed == self.size
    }

    /// Takes its part of `bytes`, which lie at `position` of the image. `memory` is the budget that is left.
    pub(super) fn take(&mut self, position: u64, bytes: &[u8], memory: &mut u64) -> io::Result<()> {
        let end = self.start.saturating_add(self.size);
        let from = self.start.saturating_sub(position).min(bytes.len() as u64);
        let until = end.saturating_sub(position).min(bytes.len() as u64);
        let range = usize::try_from(from).unwrap_or_default()..usize::try_from(until).unwrap_or_default();
        let Some(part) = bytes.get(range).filter(|part| !part.is_empty()) else { return Ok(()) };
        self.passed += part.len() as u64;
        match &mut self.stage {
            Stage::Kept(kept) => kept.push(part),
            Stage::Probing(probe, filled) => {
                let (first, rest) = part.split_at((PROBE - *filled).min(part.len()));
                fill(probe, filled, first);
                if *filled == PROBE || self.passed == self.size {
                    let mut kept = Kept::begin(probe.get(..*filled).unwrap_or_default(), self.size, memory)?;
                    kept.push(rest)?;
                    self.stage = Stage::Kept(kept);
                }
                Ok(())
            }
        }
    }

    /// Returns what was kept, ready to be read.
    pub(super) fn kept(self) -> io::Result<Kept> {
        let mut kept = match self.stage {
            Stage::Kept(kept) => kept,
            Stage::Probing(..) => Kept::Unknown,
        };
        if let Kept::Ext4(file) = &mut kept {
            file.set_len(self.passed)?;
            file.rewind()?;
        }
        Ok(kept)
    }
}

impl Kept {
    fn begin(probe: &[u8], size: u64, memory: &mut u64) -> io::Result<Self> {
        if fat::is_fat(probe) {
            let rest = memory.checked_sub(size);
            let length = usize::try_from(size).ok().filter(|_| rest.is_some()).unwrap_or(probe.len());
            let (mut bytes, mut filled) = (SecretBytes::zeroed(length)?, 0);
            fill(&mut bytes, &mut filled, probe);
            return Ok(match rest {
                Some(rest) => {
                    *memory = rest;
                    Self::Fat(bytes, filled)
                }
                None => Self::LargeFat(bytes),
            });
        }
        if ext4::is_ext4(probe) {
            if let Err(fault) = ext4::check(probe, size) {
                return Ok(Self::DamagedExt4(fault));
            }
            let mut kept = Self::Ext4(tempfile::tempfile_in(spool_directory())?);
            kept.push(probe)?;
            return Ok(kept);
        }
        Ok(Self::Unknown)
    }

    fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Fat(kept, filled) => fill(kept, filled, bytes),
            Self::Ext4(file) => {
                for chunk in bytes.chunks(HOLE.len()) {
                    if HOLE.starts_with(chunk) {
                        file.seek(SeekFrom::Current(i64::try_from(chunk.len()).unwrap_or_default()))?;
                    } else {
                        file.write_all(chunk)?;
                    }
                }
            }
            Self::LargeFat(_) | Self::DamagedExt4(_) | Self::Unknown => {}
        }
        Ok(())
    }
}

/// Appends bytes to those that are there, as far as there is room.
fn fill(target: &mut [u8], filled: &mut usize, bytes: &[u8]) {
    let room = target.get_mut(*filled..).unwrap_or_default();
    let count = bytes.len().min(room.len());
    if let (Some(room), Some(bytes)) = (room.get_mut(..count), bytes.get(..count)) {
        room.copy_from_slice(bytes);
        *filled += count;
    }
}

/// Returns the folder for large temporary files, which is not in memory if there is a choice (file-hierarchy(7)).
fn spool_directory() -> PathBuf {
    let large = PathBuf::from("/var/tmp");
    if std::env::var_os("TMPDIR").is_none() && large.is_dir() { large } else { std::env::temp_dir() }
}
