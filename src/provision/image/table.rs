//! Partition tables, MBR and GPT, from the first sectors of an image.

use data_encoding::HEXLOWER;
use serde::Serialize;

use super::layout::SECTOR_SIZE;

/// Bytes of an image in which its partition table lies: MBR, GPT header, and 128 entries of 128 bytes.
pub(super) const TABLE_LENGTH: usize = 34 * 512;
/// Most entries that a GPT header may tell of here. A table that tells of more is read as far as this.
const ENTRY_LIMIT: u32 = 128;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Table {
    pub kind: TableKind,
    /// The MBR's signature in eight hexadecimal digits, or the GPT's GUID.
    pub id: String,
    pub slots: Vec<Slot>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TableKind {
    Mbr,
    Gpt,
}

/// A partition as its table has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Slot {
    pub number: u32,
    /// Its first byte.
    pub start: u64,
    /// In bytes.
    pub size: u64,
    /// The MBR's type in two hexadecimal digits, or the GPT's type GUID.
    pub kind: String,
    /// The MBR's flag, or the GPT's attribute "legacy BIOS bootable": U-Boot takes either.
    pub is_bootable: bool,
}

impl Table {
    /// The table at the start of an image, if there is one.
    pub(crate) fn parse(head: &[u8]) -> Option<Self> {
        if head.get(510..512)? != [0x55, 0xaa] {
            return None;
        }
        let slots: Vec<_> = (0..4).filter_map(|index| mbr_slot(head, index)).collect();
        // A filesystem's boot sector ends with the same two bytes.
        let is_mbr = (0..4).all(|index| matches!(head.get(446 + 16 * index), Some(0 | 0x80)));
        if let Some(gpt) = parse_gpt(head) {
            return Some(gpt);
        }
        let id = u32_at(head, 440)?;
        (is_mbr && !slots.is_empty()).then(|| Self { kind: TableKind::Mbr, id: format!("{id:08x}"), slots })
    }
}

fn mbr_slot(head: &[u8], index: usize) -> Option<Slot> {
    let at = 446 + 16 * index;
    let (flag, kind) = (*head.get(at)?, *head.get(at + 4)?);
    let (start, size) = (u32_at(head, at + 8)?, u32_at(head, at + 12)?);
    (kind != 0 && size != 0).then(|| Slot {
        number: u32::try_from(index).unwrap_or_default() + 1,
        start: u64::from(start) * SECTOR_SIZE,
        size: u64::from(size) * SECTOR_SIZE,
        kind: format!("{kind:02x}"),
        is_bootable: flag == 0x80,
    })
}

/// UEFI specification 2.10, section 5.3. Checksums are not looked at: U-Boot falls back to the second copy.
fn parse_gpt(head: &[u8]) -> Option<Table> {
    let header = head.get(512..1024)?;
    if header.get(..8)? != b"EFI PART" {
        return None;
    }
    let entries = usize::try_from(u64_at(header, 72)?.checked_mul(SECTOR_SIZE)?).ok()?;
    let (count, size) = (u32_at(header, 80)?.min(ENTRY_LIMIT), usize::try_from(u32_at(header, 84)?).ok()?);
    let slot = |number: u32| {
        let at = entries.checked_add(usize::try_from(number).ok()?.checked_mul(size)?)?;
        let entry = head.get(at..at.checked_add(128)?)?;
        let (first, last) = (u64_at(entry, 32)?, u64_at(entry, 40)?);
        let kind = entry.get(..16)?;
        (kind.iter().any(|byte| *byte != 0)).then_some(())?;
        Some(Slot {
            number: number + 1,
            start: first.checked_mul(SECTOR_SIZE)?,
            size: last.checked_add(1)?.checked_sub(first)?.checked_mul(SECTOR_SIZE)?,
            kind: guid(kind)?,
            is_bootable: u64_at(entry, 48)? & 4 != 0,
        })
    };
    let slots = (0..count).filter_map(slot).collect();
    Some(Table { kind: TableKind::Gpt, id: guid(header.get(56..72)?)?, slots })
}

/// A GUID in its text form: the first three fields have their bytes the other way round.
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
