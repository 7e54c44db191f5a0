//! Finds out what an image is, in one pass over its bytes.

use std::io::{self, Read};

use serde::Serialize;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::boot::Boot;
use super::ext4::{self, Ext4Volume};
use super::fat::{self, Fat, SeedOwner};
use super::identity::Identity;
use super::region::{Kept, MEMORY_BUDGET, Region};
use super::table::{TABLE_LENGTH, Table, TableEntry};
use crate::common::secret_bytes::SecretBytes;
use crate::config::cluster::Label;
use crate::config::modules::{Hardware, MODULES};

/// The number of bytes at the start that are kept: the partition table and the loader's magic. A partition that starts
/// among them is not read.
const HEAD: usize = 64 * 512 + 512;
const _: () = assert!(TABLE_LENGTH <= HEAD && loaders_begin_before(HEAD as u64));
const CHUNK: usize = 64 * 1024;

/// Returns whether the magics of all loaders are among the first `end` bytes of an image.
const fn loaders_begin_before(end: u64) -> bool {
    let mut modules = MODULES;
    while let [first, rest @ ..] = modules {
        if let Some(Hardware { loader, .. }) = first.hardware
            && loader.offset + loader.magic.len() as u64 > end
        {
            return false;
        }
        modules = rest;
    }
    true
}

#[derive(Debug, Error)]
pub enum InspectError {
    #[error("cannot read the image: {0}")]
    Read(#[source] io::Error),
    #[error("cannot keep the root filesystem in a temporary file: {0}")]
    Keep(#[source] io::Error),
    #[error("the image has more than {} bytes, the size of {}'s {}", .0.boot_disk.size, .0.indefinite(), .0.boot_disk.name)]
    TooLarge(&'static Hardware),
}

/// What an image is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// The module that the image has to fit.
    #[serde(skip)]
    pub hardware: &'static Hardware,
    /// The decompressed size in bytes.
    pub size: u64,
    /// The digest of the decompressed bytes, in hexadecimal digits.
    pub sha256: String,
    /// Whether a loader for the module's chip is where the boot ROM searches for one.
    pub has_loader: bool,
    pub table: Option<Table>,
    /// The partitions in the order of the table.
    pub partitions: Vec<Partition>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Partition {
    pub entry: TableEntry,
    pub content: Content,
}

/// The contents of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    Fat(Fat),
    Ext4(Ext4Volume),
    /// An ext4 filesystem that cannot be read, and the reason.
    DamagedExt4(String),
    Unknown,
    /// The image ends before the end of the partition.
    CutOff,
}

/// Reads an image for a module to its end.
///
/// The memory is bounded for any image: partitions that are read again go to a temporary file without a name, and only a
/// seed partition is kept in memory. Time and disk are bounded by the size of the boot disk.
pub fn inspect(mut image: impl Read, hardware: &'static Hardware) -> Result<Inspection, InspectError> {
    let mut hash = Sha256::new();
    let mut head = Vec::with_capacity(HEAD);
    let mut regions = Vec::new();
    let mut position: u64 = 0;
    let mut chunk = SecretBytes::zeroed(CHUNK).map_err(InspectError::Keep)?;
    let mut table = None;
    let mut memory = MEMORY_BUDGET;
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
            region.take(position, bytes, &mut memory).map_err(InspectError::Keep)?;
        }
        position += bytes.len() as u64;
        if position > hardware.boot_disk.size {
            return Err(InspectError::TooLarge(hardware));
        }
    }
    let entries = table.as_ref().map(|table| table.entries.clone()).unwrap_or_default();
    let regions = regions.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
    let partitions = entries
        .into_iter()
        .zip(regions)
        .map(|(entry, region)| {
            let content = region.map_or(Ok(Content::Unknown), |region| content(region, hardware))?;
            Ok(Partition { entry, content })
        })
        .collect::<io::Result<_>>()
        .map_err(InspectError::Keep)?;
    let loader = usize::try_from(hardware.loader.offset).ok().and_then(|offset| head.get(offset..));
    Ok(Inspection {
        hardware,
        size: position,
        sha256: data_encoding::HEXLOWER.encode(&hash.finalize()),
        has_loader: loader.is_some_and(|bytes| bytes.starts_with(&hardware.loader.magic)),
        table,
        partitions,
    })
}

/// Returns the partitions to keep. Those of a faulty table are not read: overlapping ones would be kept many times.
fn regions_of(table: Option<&Table>) -> io::Result<Vec<Region>> {
    let table = table.filter(|table| table.faults.is_empty());
    let entries = table.map(|table| table.entries.as_slice()).unwrap_or_default();
    entries.iter().map(|entry| Region::new(entry.start, entry.size)).collect()
}

fn content(region: Region, hardware: &'static Hardware) -> io::Result<Content> {
    let is_whole = region.is_whole();
    Ok(match region.kept()? {
        _ if !is_whole => Content::CutOff,
        Kept::Fat(bytes, _) => fat::read(&bytes).map_or(Content::Unknown, Content::Fat),
        Kept::LargeFat(sector) => fat::name(&sector).map_or(Content::Unknown, Content::Fat),
        Kept::Ext4(file) => match ext4::read(file, hardware) {
            Ok(volume) => Content::Ext4(volume),
            Err(fault) => Content::DamagedExt4(fault),
        },
        Kept::DamagedExt4(fault) => Content::DamagedExt4(fault.to_owned()),
        Kept::Unknown => Content::Unknown,
    })
}

impl Inspection {
    /// Returns the partition that U-Boot boots from and what it finds there: of those with a configuration the one that
    /// is marked bootable, else the first.
    #[must_use]
    pub fn boot(&self) -> Option<(&Partition, &Boot)> {
        let mut found = self.partitions.iter().filter_map(|partition| match &partition.content {
            Content::Ext4(volume) => Some((partition, volume.boot.as_ref()?)),
            _ => None,
        });
        found.clone().find(|(partition, _)| partition.entry.is_bootable).or_else(|| found.next())
    }

    /// Returns the host whose system boots by default.
    #[must_use]
    pub fn host(&self) -> Option<&Label> {
        self.boot()?.1.host.as_ref()
    }

    /// Returns the owner of the seed in the image, if there is a seed.
    #[must_use]
    pub fn seed(&self) -> Option<&SeedOwner> {
        self.partitions.iter().find_map(|partition| match &partition.content {
            Content::Fat(fat) => fat.seed.as_ref(),
            _ => None,
        })
    }

    /// Returns whether the partition table and the root filesystem have the names of a host's image.
    #[must_use]
    pub fn is_of(&self, identity: &Identity) -> bool {
        let has_root = self.partitions.iter().any(|partition| match &partition.content {
            Content::Ext4(volume) => volume.uuid == identity.root_uuid,
            _ => false,
        });
        has_root && self.table.as_ref().is_some_and(|table| table.id == format!("{:08x}", identity.disk_id))
    }
}
