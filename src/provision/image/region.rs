//! What is kept of the stream for a closer look: of each partition what its first bytes make worth keeping.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::fat;
use crate::secret_bytes::SecretBytes;

/// Bytes of a partition by which its contents are told: ext4's superblock is in the second KiB.
const PROBE: usize = 4096;
/// The largest FAT that may hold a seed, in bytes: it is kept in memory.
const SEED_LIMIT: u64 = 32 * 1024 * 1024;
/// A run of zeros of this length is left out of a file on disk.
const HOLE: [u8; 4096] = [0; 4096];

/// A partition while it passes by.
pub(super) struct Region {
    start: u64,
    size: u64,
    /// Bytes of it that have passed.
    passed: u64,
    stage: Stage,
}

enum Stage {
    /// The first bytes, and how many have come.
    Probing(SecretBytes, usize),
    Kept(Kept),
}

/// What was kept of a partition.
pub(super) enum Kept {
    /// A FAT that may hold a seed. Secrets stay in memory, and leave it with this.
    Fat(SecretBytes, usize),
    /// A FAT that is too large for one: its first bytes.
    LargeFat(SecretBytes),
    /// A sparse file without a name, which the kernel removes with this process, however it ends. Images hold no
    /// secret outside the seed's partition.
    Ext4(File),
    Unknown,
}

impl Region {
    pub(super) fn new(start: u64, size: u64) -> io::Result<Self> {
        let stage = Stage::Probing(SecretBytes::zeroed(PROBE)?, 0);
        Ok(Self { start, size, passed: 0, stage })
    }

    /// Whether all of it has passed.
    pub(super) fn is_whole(&self) -> bool {
        self.passed == self.size
    }

    /// Takes its part of `bytes`, which lie at `position` of the image.
    pub(super) fn take(&mut self, position: u64, bytes: &[u8]) -> io::Result<()> {
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
                    let mut kept = Kept::begin(probe.get(..*filled).unwrap_or_default(), self.size)?;
                    kept.push(rest)?;
                    self.stage = Stage::Kept(kept);
                }
                Ok(())
            }
        }
    }

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
    fn begin(probe: &[u8], size: u64) -> io::Result<Self> {
        if fat::is_fat(probe) {
            let is_seed = size <= SEED_LIMIT;
            let length = usize::try_from(size).ok().filter(|_| is_seed).unwrap_or(probe.len());
            let (mut bytes, mut filled) = (SecretBytes::zeroed(length)?, 0);
            fill(&mut bytes, &mut filled, probe);
            return Ok(if is_seed { Self::Fat(bytes, filled) } else { Self::LargeFat(bytes) });
        }
        // The superblock's magic.
        if probe.get(1024 + 56..1024 + 58) == Some(&[0x53, 0xef]) {
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
            Self::LargeFat(_) | Self::Unknown => {}
        }
        Ok(())
    }
}

/// Puts bytes behind those that have come, as far as there is room.
fn fill(place: &mut [u8], filled: &mut usize, bytes: &[u8]) {
    let room = place.get_mut(*filled..).unwrap_or_default();
    let count = bytes.len().min(room.len());
    if let (Some(room), Some(bytes)) = (room.get_mut(..count), bytes.get(..count)) {
        room.copy_from_slice(bytes);
        *filled += count;
    }
}

/// For large files, so not in memory where there is a choice (file-hierarchy(7): `/var/tmp`).
fn spool_directory() -> PathBuf {
    let large = PathBuf::from("/var/tmp");
    if std::env::var_os("TMPDIR").is_none() && large.is_dir() { large } else { std::env::temp_dir() }
}
