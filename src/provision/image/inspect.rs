//! What an image is, found out in one pass over its bytes.

use std::io::{self, Read};

use serde::Serialize;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::boot::{self, Boot};
use super::fat::{self, Fat, SeedOwner};
use super::identity::Identity;
use super::layout::{LOADER_MAGIC, LOADER_OFFSET};
use super::region::{Kept, Region};
use super::table::{Slot, TABLE_LENGTH, Table};
use crate::config::cluster::Label;
use crate::secret_bytes::SecretBytes;

/// Bytes from the start that are kept: the partition table and the loader's magic. A partition that starts among them
/// is not looked into.
const HEAD: usize = 64 * 512 + 512;
const _: () = assert!(TABLE_LENGTH <= HEAD && LOADER_OFFSET + 512 == HEAD as u64);
const CHUNK: usize = 64 * 1024;

#[derive(Debug, Error)]
pub enum InspectError {
    #[error("cannot read the image: {0}")]
    Read(#[source] io::Error),
    #[error("cannot keep the root filesystem in a temporary file: {0}")]
    Keep(#[source] io::Error),
}

/// What an image is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// In bytes, unpacked.
    pub size: u64,
    /// Of the unpacked bytes, in hexadecimal digits.
    pub sha256: String,
    /// Whether a loader for the RK3588 lies where the boot ROM looks.
    pub has_loader: bool,
    pub table: Option<Table>,
    /// In the order of the table.
    pub partitions: Vec<Partition>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Partition {
    pub slot: Slot,
    pub content: Content,
}

/// What is in a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    Fat(Fat),
    Ext4(boot::Ext4Volume),
    /// An ext4 that cannot be read, and why.
    DamagedExt4(String),
    Unknown,
    /// The image ends before it, or in it.
    CutOff,
}

/// Reads an image to its end. Memory stays constant: what is looked into again goes to a temporary file without a name,
/// the seed's partition alone to memory.
pub fn inspect(mut image: impl Read) -> Result<Inspection, InspectError> {
    let mut hash = Sha256::new();
    let mut head = Vec::with_capacity(HEAD);
    let mut regions = Vec::new();
    let mut position: u64 = 0;
    let mut chunk = SecretBytes::zeroed(CHUNK).map_err(InspectError::Keep)?;
    let mut table = None;
    loop {
        let count = match image.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(InspectError::Read(error)),
        };
        let mut bytes = chunk.get(..count).unwrap_or_default();
        hash.update(bytes);
        if head.len() < HEAD {
            let (first, rest) = bytes.split_at((HEAD - head.len()).min(bytes.len()));
            head.extend_from_slice(first);
            position += first.len() as u64;
            bytes = rest;
            if head.len() == HEAD {
                table = Table::parse(&head);
                regions = regions_of(table.as_ref()).map_err(InspectError::Keep)?;
            }
        }
        for region in &mut regions {
            region.take(position, bytes).map_err(InspectError::Keep)?;
        }
        position += bytes.len() as u64;
    }
    let slots = table.as_ref().map(|table| table.slots.clone()).unwrap_or_default();
    let partitions = slots
        .into_iter()
        .zip(regions)
        .map(|(slot, region)| Ok(Partition { slot, content: content(region)? }))
        .collect::<io::Result<_>>()
        .map_err(InspectError::Keep)?;
    let magic = usize::try_from(LOADER_OFFSET).ok().and_then(|at| head.get(at..at + LOADER_MAGIC.len()));
    Ok(Inspection {
        size: position,
        sha256: data_encoding::HEXLOWER.encode(&hash.finalize()),
        has_loader: magic == Some(&LOADER_MAGIC[..]),
        table,
        partitions,
    })
}

fn regions_of(table: Option<&Table>) -> io::Result<Vec<Region>> {
    let slots = table.map(|table| table.slots.as_slice()).unwrap_or_default();
    slots.iter().map(|slot| Region::new(slot.start, slot.size)).collect()
}

fn content(region: Region) -> io::Result<Content> {
    let is_whole = region.is_whole();
    Ok(match region.kept()? {
        _ if !is_whole => Content::CutOff,
        Kept::Fat(bytes, _) => fat::read(&bytes).map_or(Content::Unknown, Content::Fat),
        Kept::LargeFat(sector) => fat::name(&sector).map_or(Content::Unknown, Content::Fat),
        Kept::Ext4(file) => match boot::read(file) {
            Ok(volume) => Content::Ext4(volume),
            Err(error) => Content::DamagedExt4(error.to_string()),
        },
        Kept::Unknown => Content::Unknown,
    })
}

impl Inspection {
    /// The partition that U-Boot boots from, and what it finds there: of those that have a configuration the one that
    /// is marked bootable, else the first.
    #[must_use]
    pub fn boot(&self) -> Option<(&Partition, &Boot)> {
        let mut found = self.partitions.iter().filter_map(|partition| match &partition.content {
            Content::Ext4(volume) => Some((partition, volume.boot.as_ref()?)),
            _ => None,
        });
        found.clone().find(|(partition, _)| partition.slot.is_bootable).or_else(|| found.next())
    }

    /// The host whose system boots by default.
    #[must_use]
    pub fn host(&self) -> Option<&Label> {
        self.boot()?.1.host.as_ref()
    }

    /// The seed that is in it, if there is one.
    #[must_use]
    pub fn seed(&self) -> Option<&SeedOwner> {
        self.partitions.iter().find_map(|partition| match &partition.content {
            Content::Fat(fat) => fat.seed.as_ref(),
            _ => None,
        })
    }

    /// Whether its table and its root filesystem have the names that a host's image has.
    #[must_use]
    pub fn is_of(&self, identity: &Identity) -> bool {
        let has_root = self.partitions.iter().any(|partition| match &partition.content {
            Content::Ext4(volume) => volume.uuid == identity.root_uuid,
            _ => false,
        });
        has_root && self.table.as_ref().is_some_and(|table| table.id == format!("{:08x}", identity.disk_id))
    }
}
