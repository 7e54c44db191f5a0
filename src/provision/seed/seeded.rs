//! An image with a node's seed in it, as a stream: the copy that holds secrets never lies on a disk.

use std::io::{self, Read};

use thiserror::Error;

use super::Partition;
use crate::config::diagnostics::Mistake;
use crate::provision::image::layout::{SECTOR_SIZE, SEED_LABEL, SEED_OFFSET, SEED_PARTITION, SEED_SIZE};
use crate::provision::image::{Table, TableKind, fat};
use crate::secret_bytes::SecretBytes;

const SECTOR: usize = 512;
const _: () = assert!(SECTOR as u64 == SECTOR_SIZE);

/// The image has no place for the seed. It comes as the inner error of an [`io::Error`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SeededError {
    #[error(
        "partition {SEED_PARTITION} of the image is not the seed's: {SEED_SIZE} bytes at byte {SEED_OFFSET}, in an MBR"
    )]
    NoPlace,
    #[error("the seed partition of the image is called `{label}` {id}, not `{SEED_LABEL}` {expected}")]
    OfAnother { label: String, id: String, expected: String },
    #[error("the seed partition of the image has something in it already")]
    Taken,
}

impl Mistake for SeededError {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::NoPlace => "take an image that `nix build .#NAME` made",
            Self::OfAnother { .. } => "take the image of this very host: each has names of its own",
            Self::Taken => "take the image as it was built, without a seed",
        };
        Some(instead.to_owned())
    }
}

/// Reads an image with its seed partition replaced. Every other byte, and the length, are the image's.
///
/// The image is not believed: its table and its seed partition's names are checked before a byte of the seed is given.
pub struct Seeded<R> {
    image: R,
    partition: Partition,
    /// Of the next byte that is given.
    position: u64,
    /// The first sector, which was read ahead to be looked at, and how much of it has been given.
    ahead: [u8; SECTOR],
    given: usize,
    is_checked: bool,
}

impl<R: Read> Seeded<R> {
    /// Reads the partition table.
    pub fn new(mut image: R, partition: Partition) -> io::Result<Self> {
        let ahead = sector(&mut image)?;
        let is_place = Table::parse(&ahead).is_some_and(|table| {
            table.kind == TableKind::Mbr
                && table.slots.iter().any(|slot| {
                    (slot.number, slot.start, slot.size) == (SEED_PARTITION, SEED_OFFSET, SEED_SIZE)
                })
                // Nothing else may lie there.
                && table.slots.iter().all(|slot| {
                    slot.number == SEED_PARTITION
                        || slot.start >= SEED_OFFSET + SEED_SIZE
                        || slot.start.saturating_add(slot.size) <= SEED_OFFSET
                })
        });
        if !is_place {
            return Err(refused(SeededError::NoPlace));
        }
        Ok(Self { image, partition, position: 0, ahead, given: 0, is_checked: false })
    }

    /// Takes the image's own seed partition out of the stream, once it is seen to be the one that is meant.
    fn check(&mut self) -> io::Result<()> {
        let own = sector(&mut self.image)?;
        let expected = fat::name(self.partition.bytes()).ok();
        let found = fat::name(&own).ok();
        if found.is_none() || found != expected {
            let (label, id) = found.map(|fat| (fat.label, fat.id)).unwrap_or_default();
            let expected = expected.map(|fat| fat.id).unwrap_or_default();
            return Err(refused(SeededError::OfAnother { label, id, expected }));
        }
        // Constant memory: what is replaced is only looked at for the traces of another seed.
        let mut whole = SecretBytes::zeroed(self.partition.bytes().len())?;
        let Some((first, rest)) = whole.split_first_chunk_mut() else {
            return Err(refused(SeededError::NoPlace));
        };
        *first = own;
        self.image.read_exact(rest)?;
        if fat::read(&whole).is_ok_and(|fat| fat.seed.is_some()) {
            return Err(refused(SeededError::Taken));
        }
        self.is_checked = true;
        Ok(())
    }
}

/// The next sector; an error where the image has no more.
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
        } else if self.given < self.ahead.len() {
            let count = self.ahead.get(self.given..).unwrap_or_default().read(buffer)?;
            self.given += count;
            count
        } else if self.position < SEED_OFFSET {
            // Not a byte further than where the seed begins.
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
