//! An image with a node's seed in it, as a stream: the copy with the secrets is never written to a disk.

use std::io::{self, Read};
use std::sync::Arc;

use thiserror::Error;

use super::partition::SeedPartition;
use crate::common::secret_bytes::SecretBytes;
use crate::config::diagnostics::Mistake;
use crate::provision::image::layout::{SECTOR_SIZE, SEED_LABEL, SEED_OFFSET, SEED_PARTITION, SEED_SIZE};
use crate::provision::image::{Table, TableKind, fat};

const SECTOR: usize = 512;
const _: () = assert!(SECTOR as u64 == SECTOR_SIZE);

/// Why a seed cannot be put into an image. It comes as the inner error of an [`io::Error`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SeededError {
    #[error(
        "partition {SEED_PARTITION} of the image is not a seed partition: {SEED_SIZE} bytes at byte {SEED_OFFSET}, in an MBR"
    )]
    NoSeedPartition,
    #[error("the seed partition of the image is `{label}` {id}, not `{SEED_LABEL}` {expected}")]
    OtherHost { label: String, id: String, expected: String },
    #[error("the seed partition of the image is not empty")]
    NotEmpty,
}

impl Mistake for SeededError {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::NoSeedPartition => "use an image that `nix build .#NAME` made",
            Self::OtherHost { .. } => "use the image of this host: each host has names of its own",
            Self::NotEmpty => "use the image as it was built, without a seed",
        };
        Some(instead.to_owned())
    }
}

/// A stream of an image whose seed partition is replaced. The length and every other byte are those of the image.
///
/// The image is not trusted: its partition table and the names of its seed partition are checked before the first byte
/// of the seed is returned.
pub struct Seeded<R> {
    image: R,
    partition: Arc<SeedPartition>,
    /// The position of the next byte that is returned.
    position: u64,
    /// The first sector, which was read ahead to check it, and how much of it has been returned.
    ahead: [u8; SECTOR],
    returned: usize,
    is_checked: bool,
}

impl<R: Read> Seeded<R> {
    /// Reads the partition table.
    pub fn new(mut image: R, partition: impl Into<Arc<SeedPartition>>) -> io::Result<Self> {
        let ahead = sector(&mut image)?;
        let has_seed_partition = Table::parse(&ahead).is_some_and(|table| {
            table.kind == TableKind::Mbr
                && table.entries.iter().any(|entry| {
                    (entry.number, entry.start, entry.size) == (SEED_PARTITION, SEED_OFFSET, SEED_SIZE)
                })
                // No other partition may lie there.
                && table.entries.iter().all(|entry| {
                    entry.number == SEED_PARTITION
                        || entry.start >= SEED_OFFSET + SEED_SIZE
                        || entry.start.saturating_add(entry.size) <= SEED_OFFSET
                })
        });
        if !has_seed_partition {
            return Err(refused(SeededError::NoSeedPartition));
        }
        Ok(Self { image, partition: partition.into(), position: 0, ahead, returned: 0, is_checked: false })
    }

    /// Reads the image's own seed partition, and checks that it is empty and belongs to the same host.
    fn check(&mut self) -> io::Result<()> {
        let own = sector(&mut self.image)?;
        let expected = fat::name(self.partition.bytes()).ok();
        let found = fat::name(&own).ok();
        if found.is_none() || found != expected {
            let (label, id) = found.map(|fat| (fat.label, fat.id)).unwrap_or_default();
            let expected = expected.map(|fat| fat.id).unwrap_or_default();
            return Err(refused(SeededError::OtherHost { label, id, expected }));
        }
        // The bytes are only checked for traces of another seed, and zeroed on drop.
        let mut whole = SecretBytes::zeroed(self.partition.bytes().len())?;
        let Some((first, rest)) = whole.split_first_chunk_mut() else {
            return Err(refused(SeededError::NoSeedPartition));
        };
        *first = own;
        self.image.read_exact(rest)?;
        if fat::read(&whole).is_ok_and(|fat| fat.seed.is_some()) {
            return Err(refused(SeededError::NotEmpty));
        }
        self.is_checked = true;
        Ok(())
    }
}

/// Reads the next sector. The end of the image is an error.
fn sector(image: &mut impl Read) -> io::Result<[u8; SECTOR]> {
    let mut bytes = [0; SECTOR];
    image.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn refused(error: SeededError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

impl<R: Read> Read for Seeded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position == SEED_OFFSET && !self.is_checked && !buffer.is_empty() {
            self.check()?;
        }
        let inside = self.position.checked_sub(SEED_OFFSET).filter(|inside| *inside < SEED_SIZE);
        let count = if let Some(inside) = inside {
            let inside = usize::try_from(inside).unwrap_or_default();
            self.partition.bytes().get(inside..).unwrap_or_default().read(buffer)?
        } else if self.returned < self.ahead.len() {
            let count = self.ahead.get(self.returned..).unwrap_or_default().read(buffer)?;
            self.returned += count;
            count
        } else if self.position < SEED_OFFSET {
            // Stops where the seed begins.
            let left = usize::try_from(SEED_OFFSET - self.position).unwrap_or(usize::MAX).min(buffer.len());
            self.image.read(buffer.get_mut(..left).unwrap_or_default())?
        } else {
            self.image.read(buffer)?
        };
        self.position += count as u64;
        Ok(count)
    }
}

impl<R> std::fmt::Debug for Seeded<R> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Seeded").field("position", &self.position).finish_non_exhaustive()
    }
}
