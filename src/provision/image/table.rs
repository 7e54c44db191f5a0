//! Partition tables, MBR and GPT, from the first sectors of an image.

use data_encoding::HEXLOWER;
use serde::Serialize;
use thiserror::Error;

use super::layout::SECTOR_SIZE;

/// The number of bytes of an image that hold its partition table: MBR, GPT header, and 128 entries of 128 bytes.
pub(super) const TABLE_LENGTH: usize = 34 * 512;
/// The number of GPT entries that are read. Tables with more are a fault.
const ENTRY_LIMIT: u32 = 128;
/// The size of a GPT entry in bytes. UEFI allows larger ones, and nothing writes them.
const ENTRY_SIZE: u32 = 128;
/// The type of the MBR entry that protects a GPT (UEFI specification 2.10, section 5.2.3).
const PROTECTIVE: u8 = 0xee;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Table {
    pub kind: TableKind,
    /// The signature of the MBR in eight hexadecimal digits, or the GUID of the GPT.
    pub id: String,
    pub entries: Vec<TableEntry>,
    /// What is wrong with the table. The partitions of a faulty table are not read.
    #[serde(skip)]
    pub faults: Vec<TableFault>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TableKind {
    Mbr,
    Gpt,
}

/// A partition as the table describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableEntry {
    pub number: u32,
    /// The position of the first byte.
    pub start: u64,
    /// The size in bytes.
    pub size: u64,
    /// The type: two hexadecimal digits in an MBR, a GUID in a GPT.
    pub kind: String,
    /// The flag of the MBR, or the attribute "legacy BIOS bootable" of the GPT. U-Boot accepts either.
    pub is_bootable: bool,
}

/// A partition table that no partitioning tool writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Error)]
#[serde(rename_all = "kebab-case")]
pub enum TableFault {
    #[error("partitions {first} and {second} overlap")]
    Overlap { first: u32, second: u32 },
    #[error("partition {number} lies before partition {previous}")]
    Unordered { number: u32, previous: u32 },
    #[error("partition {number} has no size, or ends beyond the largest disk")]
    Extent { number: u32 },
    #[error("the GPT has {count} entries of {size} bytes, not at most {ENTRY_LIMIT} of {ENTRY_SIZE}")]
    Entries { count: u32, size: u32 },
    #[error("the entries of the GPT begin at sector {sector}, not at sector 2")]
    Elsewhere { sector: u64 },
    #[error("the GPT has no protective MBR")]
    Unprotected,
}

impl Table {
    /// Parses the table at the start of an image, if there is one.
    pub(crate) fn parse(head: &[u8]) -> Option<Self> {
        if head.get(510..512)? != [0x55, 0xaa] {
            return None;
        }
        if head.get(512..520) == Some(b"EFI PART") {
            return parse_gpt(head);
        }
        let entries: Vec<_> = (0..4).filter_map(|index| mbr_entry(head, index)).collect();
        // The boot sector of a filesystem ends with the same two bytes.
        let is_mbr = (0..4).all(|index| matches!(head.get(446 + 16 * index), Some(0 | 0x80)));
        let id = u32_at(head, 440)?;
        (is_mbr && !entries.is_empty()).then(|| {
            let faults = order_faults(&entries);
            Self { kind: TableKind::Mbr, id: format!("{id:08x}"), entries, faults }
        })
    }
}

/// Returns the faults in the order of the partitions: each must end before the next one starts.
fn order_faults(entries: &[TableEntry]) -> Vec<TableFault> {
    let pairs = entries.iter().zip(entries.iter().skip(1));
    let faults = pairs.filter_map(|(first, second)| {
        let overlap = TableFault::Overlap { first: first.number, second: second.number };
        let unordered = TableFault::Unordered { number: second.number, previous: first.number };
        if second.start >= first.start.saturating_add(first.size) {
            None
        } else if second.start.saturating_add(second.size) <= first.start {
            Some(unordered)
        } else {
            Some(overlap)
        }
    });
    faults.collect()
}

fn mbr_entry(head: &[u8], index: usize) -> Option<TableEntry> {
    let at = 446 + 16 * index;
    let (flag, kind) = (*head.get(at)?, *head.get(at + 4)?);
    let (start, size) = (u32_at(head, at + 8)?, u32_at(head, at + 12)?);
    (kind != 0 && size != 0).then(|| TableEntry {
        number: u32::try_from(index).unwrap_or_default() + 1,
        start: u64::from(start) * SECTOR_SIZE,
        size: u64::from(size) * SECTOR_SIZE,
        kind: format!("{kind:02x}"),
        is_bootable: flag == 0x80,
    })
}

/// Parses a GPT (UEFI specification 2.10, section 5.3). The checksums are not verified: U-Boot falls back to the second
/// copy of the table.
fn parse_gpt(head: &[u8]) -> Option<Table> {
    let header = head.get(512..1024)?;
    let (sector, count, size) = (u64_at(header, 72)?, u32_at(header, 80)?, u32_at(header, 84)?);
    let mut faults = Vec::new();
    if !(0..4).any(|index| head.get(446 + 16 * index + 4) == Some(&PROTECTIVE)) {
        faults.push(TableFault::Unprotected);
    }
    if count > ENTRY_LIMIT || size != ENTRY_SIZE {
        faults.push(TableFault::Entries { count, size });
    }
    if sector != 2 {
        faults.push(TableFault::Elsewhere { sector });
    }
    let mut entries = Vec::new();
    if faults.is_empty() {
        for (number, entry) in (1..=count).zip(head.get(1024..)?.chunks_exact(usize::try_from(size).ok()?)) {
            match gpt_entry(number, entry) {
                Some(Ok(entry)) => entries.push(entry),
                Some(Err(fault)) => faults.push(fault),
                None => {}
            }
        }
    }
    faults.extend(order_faults(&entries));
    Some(Table { kind: TableKind::Gpt, id: guid(header.get(56..72)?)?, entries, faults })
}

/// Parses an entry, or returns `None` if it is unused: its type is zero then.
fn gpt_entry(number: u32, entry: &[u8]) -> Option<Result<TableEntry, TableFault>> {
    let kind = entry.get(..16)?;
    if kind.iter().all(|byte| *byte == 0) {
        return None;
    }
    let (first, last) = (u64_at(entry, 32)?, u64_at(entry, 40)?);
    let is_bootable = u64_at(entry, 48)? & 4 != 0;
    let kind = guid(kind)?;
    // Linux counts the bytes of a disk in 63 bits.
    let bytes = |sectors: u64| sectors.checked_mul(SECTOR_SIZE).filter(|bytes| i64::try_from(*bytes).is_ok());
    let end = last.checked_add(1).and_then(bytes);
    let extent = bytes(first).zip(end).filter(|(start, end)| start < end);
    Some(match extent {
        Some((start, end)) => Ok(TableEntry { number, start, size: end - start, kind, is_bootable }),
        None => Err(TableFault::Extent { number }),
    })
}

/// Formats a GUID. The bytes of its first three fields are stored in reverse order.
fn guid(bytes: &[u8]) -> Option<String> {
    let field = |range: std::ops::Range<usize>, is_swapped: bool| {
        let mut field = bytes.get(range)?.to_vec();
        if is_swapped {
            field.reverse();
        }
        Some(HEXLOWER.encode(&field))
    };
    let fields =
        [field(0..4, true), field(4..6, true), field(6..8, true), field(8..10, false), field(10..16, false)];
    Some(fields.into_iter().collect::<Option<Vec<_>>>()?.join("-"))
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u32, start: u64, size: u64) -> TableEntry {
        TableEntry { number, start, size, kind: String::new(), is_bootable: false }
    }

    #[test]
    fn partitions_must_follow_one_another() {
        let faults = |entries: &[TableEntry]| order_faults(entries);
        assert_eq!(faults(&[entry(1, 0, 10), entry(2, 10, 10), entry(4, 30, 5)]), []);
        assert_eq!(
            faults(&[entry(1, 0, 11), entry(2, 10, 10)]),
            [TableFault::Overlap { first: 1, second: 2 }]
        );
        assert_eq!(
            faults(&[entry(1, 0, 50), entry(2, 10, 5)]),
            [TableFault::Overlap { first: 1, second: 2 }]
        );
        assert_eq!(
            faults(&[entry(1, 20, 5), entry(3, 10, 10)]),
            [TableFault::Unordered { number: 3, previous: 1 }]
        );
        assert_eq!(
            faults(&[entry(1, 0, u64::MAX), entry(2, 5, 5)]),
            [TableFault::Overlap { first: 1, second: 2 }]
        );
    }

    fn gpt(sector: u64, count: u32, size: u32, entries: &[(u64, u64)]) -> Vec<u8> {
        let mut head = vec![0; TABLE_LENGTH];
        head[510..512].copy_from_slice(&[0x55, 0xaa]);
        head[446 + 4] = PROTECTIVE;
        head[512..520].copy_from_slice(b"EFI PART");
        head[512 + 72..][..8].copy_from_slice(&sector.to_le_bytes());
        head[512 + 80..][..4].copy_from_slice(&count.to_le_bytes());
        head[512 + 84..][..4].copy_from_slice(&size.to_le_bytes());
        for (index, (first, last)) in entries.iter().enumerate() {
            let at = 1024 + 128 * index;
            head[at] = 1;
            head[at + 32..][..8].copy_from_slice(&first.to_le_bytes());
            head[at + 40..][..8].copy_from_slice(&last.to_le_bytes());
        }
        head
    }

    #[test]
    fn an_absurd_gpt_is_a_fault() {
        let faults = |head: &[u8]| Table::parse(head).expect("a table").faults;
        assert_eq!(faults(&gpt(2, 128, 128, &[(34, 40), (41, 50)])), []);
        assert_eq!(faults(&gpt(2, 129, 128, &[])), [TableFault::Entries { count: 129, size: 128 }]);
        assert_eq!(faults(&gpt(2, 128, 0, &[])), [TableFault::Entries { count: 128, size: 0 }]);
        assert_eq!(faults(&gpt(u64::MAX, 1, 128, &[])), [TableFault::Elsewhere { sector: u64::MAX }]);
        for extent in [(50, 40), (0, u64::MAX), (u64::MAX, u64::MAX), (1, u64::MAX / 512)] {
            assert_eq!(faults(&gpt(2, 1, 128, &[extent])), [TableFault::Extent { number: 1 }], "{extent:?}");
        }
        let mut unprotected = gpt(2, 1, 128, &[]);
        unprotected[446 + 4] = 0;
        assert_eq!(faults(&unprotected), [TableFault::Unprotected]);
    }
}
