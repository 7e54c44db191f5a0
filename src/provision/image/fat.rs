//! Reads the names of a FAT partition and the owner of the seed in it.
//!
//! `fatfs`, which writes the seed, panics on some entries that a hostile image can have. Only one file of one cluster in
//! the root directory is needed here, so the allocation table is not.

use serde::Serialize;
use thiserror::Error;

use super::table::{u16_at, u32_at};
use crate::config::cluster::Label;

/// The file in the root directory of a seed partition that names the owner of the seed: `cluster/host` and a line end.
/// The node removes it before anything else, so a seed with this file is complete.
pub(crate) const OWNER_FILE: &str = "HOST";
const OWNER_NAME: &[u8; 11] = b"HOST       ";
/// The largest owner file, in bytes: more than two labels take.
const OWNER_LIMIT: usize = 256;

const ENTRY: usize = 32;
const IS_LABEL: u8 = 0x08;
const IS_FOLDER: u8 = 0x10;
/// An entry that is a part of a long name has all four lower attributes.
const IS_LONG_NAME: u8 = 0x0f;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fat {
    pub label: String,
    /// The volume id, such as `1a2b-3c4d`.
    pub id: String,
    pub seed: Option<SeedOwner>,
}

/// The owner of a seed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeedOwner {
    Node {
        cluster: Label,
        host: Label,
    },
    /// The partition has files, but none that names an owner.
    Unreadable,
}

impl SeedOwner {
    pub(crate) fn text(cluster: &Label, host: &Label) -> String {
        format!("{cluster}/{host}\n")
    }

    fn parse(bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes).ok().and_then(|text| text.strip_suffix('\n'));
        let labels = text.and_then(|text| text.split_once('/')).and_then(|(cluster, host)| {
            Some(Self::Node { cluster: Label::parse(cluster).ok()?, host: Label::parse(host).ok()? })
        });
        labels.unwrap_or(Self::Unreadable)
    }
}

#[derive(Debug, PartialEq, Eq, Error)]
#[error("this is not a FAT of 12 or 16 bits")]
pub(crate) struct NotFat;

/// The positions that a boot sector states (Microsoft's FAT specification of 2005, "BPB"), in bytes.
struct Geometry {
    root: usize,
    root_length: usize,
    data: usize,
    cluster: usize,
}

/// Returns whether a boot sector belongs to a FAT of any size.
pub(super) fn is_fat(sector: &[u8]) -> bool {
    sector.get(510..512) == Some(&[0x55, 0xaa])
        && (sector.get(54..57) == Some(b"FAT") || sector.get(82..85) == Some(b"FAT"))
}

/// Reads the label and the id from a boot sector.
pub(crate) fn name(sector: &[u8]) -> Result<Fat, NotFat> {
    if !is_fat(sector) {
        return Err(NotFat);
    }
    // FAT32 has further fields in front.
    let at = if sector.get(54..57) == Some(b"FAT") { 39 } else { 67 };
    let id = u32_at(sector, at).ok_or(NotFat)?;
    let label = sector.get(at + 4..at + 15).ok_or(NotFat)?;
    let label = String::from_utf8_lossy(label).trim_end().to_owned();
    Ok(Fat { label, id: format!("{:04x}-{:04x}", id >> 16, id & 0xffff), seed: None })
}

/// Reads the label, the id and the owner of the seed from a whole partition.
pub(crate) fn read(partition: &[u8]) -> Result<Fat, NotFat> {
    let named = name(partition)?;
    let Some(geometry) = geometry(partition) else { return Ok(named) };
    let root = partition.get(geometry.root..).ok_or(NotFat)?;
    let root = root.get(..geometry.root_length).ok_or(NotFat)?;
    let entries = root.chunks_exact(ENTRY).take_while(|entry| entry.first() != Some(&0));
    let owner = entries.clone().find(|entry| {
        let attributes = entry.get(11).copied().unwrap_or_default();
        entry.starts_with(OWNER_NAME) && attributes & (IS_LABEL | IS_FOLDER) == 0
    });
    if let Some(entry) = owner {
        let bytes = contents(partition, &geometry, entry);
        return Ok(Fat { seed: Some(bytes.map_or(SeedOwner::Unreadable, SeedOwner::parse)), ..named });
    }
    // Other files without an owner are the rest of a seed, or do not belong to one.
    let is_other = |entry: &[u8]| {
        let attributes = entry.get(11).copied().unwrap_or_default();
        entry.first() != Some(&0xe5)
            && attributes & IS_LONG_NAME != IS_LONG_NAME
            && attributes & IS_LABEL == 0
    };
    let seed = entries.clone().any(is_other).then_some(SeedOwner::Unreadable);
    Ok(Fat { seed, ..named })
}

fn geometry(partition: &[u8]) -> Option<Geometry> {
    let sector = usize::from(u16_at(partition, 11)?);
    let sectors_of_cluster = usize::from(*partition.get(13)?);
    let reserved = usize::from(u16_at(partition, 14)?);
    let tables = usize::from(*partition.get(16)?);
    let root_length = usize::from(u16_at(partition, 17)?) * ENTRY;
    let sectors_of_table = usize::from(u16_at(partition, 22)?);
    if !matches!(sector, 512 | 1024 | 2048 | 4096) || sectors_of_cluster == 0 || root_length == 0 {
        return None;
    }
    let root = reserved.checked_add(tables.checked_mul(sectors_of_table)?)?.checked_mul(sector)?;
    let data = root.checked_add(root_length.next_multiple_of(sector))?;
    Some(Geometry { root, root_length, data, cluster: sectors_of_cluster * sector })
}

/// Returns the contents of a file that fits into one cluster.
fn contents<'a>(partition: &'a [u8], geometry: &Geometry, entry: &[u8]) -> Option<&'a [u8]> {
    let first = usize::from(u16_at(entry, 26)?).checked_sub(2)?;
    let length = usize::try_from(u32_at(entry, 28)?).ok()?;
    if length > OWNER_LIMIT.min(geometry.cluster) {
        return None;
    }
    let at = geometry.data.checked_add(first.checked_mul(geometry.cluster)?)?;
    partition.get(at..at.checked_add(length)?)
}
