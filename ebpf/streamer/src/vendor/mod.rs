//! Who made a network card: the IEEE's public listings of MAC address blocks, compacted.
//!
//! `ieee.bin` is made by `examples/vendor_table.rs`, which also tells its layout and where the data is from.

use crate::packet::Mac;
use std::cell::RefCell;
use std::sync::LazyLock;

/// The table itself, kept in the binary's read-only pages.
static TABLE: &[u8] = include_bytes!("ieee.bin");

/// Bytes of the five counts in front.
const HEADER: usize = 20;

/// Prefix sizes in bytes and bits: MA-L, MA-M, MA-S.
const WIDTHS: [(usize, usize); 3] = [(3, 24), (4, 28), (5, 36)];

/// How many answers are remembered. A network has few senders; each packet has one.
const REMEMBERED: usize = 64;

thread_local! {
    /// Addresses asked for lately, as numbers, and their vendors.
    static RECENT: RefCell<[(u64, Option<&'static str>); REMEMBERED]> = const { RefCell::new([(0, None); REMEMBERED]) };
}

/// The organisation that the address's block is assigned to. None for a block that nobody holds.
#[must_use]
pub fn of(mac: Mac) -> Option<&'static str> {
    // The highest bit tells an address of zeros from an empty place.
    let key = mac.0.iter().fold(0, |key, byte| key << 8 | u64::from(*byte)) | 1 << 63;
    let place = usize::from(mac.0.iter().fold(0, |sum, byte| sum ^ byte)) % REMEMBERED;
    RECENT.with_borrow_mut(|recent| {
        let known = &mut recent[place];
        if known.0 != key {
            *known = (key, find(mac));
        }
        known.1
    })
}

fn find(mac: Mac) -> Option<&'static str> {
    const LOCALLY_ADMINISTERED: u8 = 0b10;
    if mac.0[0] & LOCALLY_ADMINISTERED != 0 {
        return Some("locally administered");
    }
    // An empty name marks a block that is divided into smaller ones.
    (0..WIDTHS.len()).find_map(|width| lookup(width, mac).filter(|name| !name.is_empty()))
}

/// The table's parts, found once.
#[derive(Debug)]
struct Layout {
    /// For each width, where its prefixes start and how many they are.
    blocks: [(usize, usize); 3],
    names: usize,
    ends: usize,
    /// For each first byte, the first 24-bit prefix that begins with it or a greater one.
    first_bytes: [usize; 257],
}

static LAYOUT: LazyLock<Option<Layout>> = LazyLock::new(|| {
    let mut start = HEADER;
    let mut blocks = [(0, 0); 3];
    for (width, block) in blocks.iter_mut().enumerate() {
        let count = number(width * 4)?;
        *block = (start, count);
        start += count * (WIDTHS[width].0 + 2);
    }
    let (long, count) = blocks[0];
    let mut first_bytes = [count; 257];
    for at in (0..count).rev() {
        first_bytes[usize::from(TABLE[long + at * 3])] = at;
    }
    for byte in (0..256).rev() {
        first_bytes[byte] = first_bytes[byte].min(first_bytes[byte + 1]);
    }
    Some(Layout { blocks, names: number(12)?, ends: start, first_bytes })
});

fn lookup(width: usize, mac: Mac) -> Option<&'static str> {
    let layout = LAYOUT.as_ref()?;
    let (start, count) = layout.blocks[width];
    let (bytes, bits) = WIDTHS[width];
    let wanted = prefix(mac, bytes, bits);
    let (mut low, mut high) = match width {
        0 => (layout.first_bytes[usize::from(mac.0[0])], layout.first_bytes[usize::from(mac.0[0]) + 1]),
        _ => (0, count),
    };
    let prefixes = TABLE.get(start..start + count * bytes)?;
    while low < high {
        let middle = low.midpoint(high);
        match prefixes[middle * bytes..][..bytes].cmp(&wanted[..bytes]) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
            std::cmp::Ordering::Equal => {
                let at = start + count * bytes + middle * 2;
                let index = TABLE.get(at..at + 2)?;
                let index = usize::from(u16::from_le_bytes([index[0], index[1]]));
                return name(layout.ends, layout.names, index);
            }
        }
    }
    None
}

/// The address's first `bits` bits, the rest zero.
fn prefix(mac: Mac, bytes: usize, bits: usize) -> [u8; 6] {
    let mut prefix = mac.0;
    if !bits.is_multiple_of(8) {
        prefix[bytes - 1] &= 0xf0;
    }
    prefix
}

fn name(ends: usize, names: usize, index: usize) -> Option<&'static str> {
    let text = ends + names * 4;
    let start = if index == 0 { 0 } else { number(ends + (index - 1) * 4)? };
    let end = number(ends + index * 4)?;
    std::str::from_utf8(TABLE.get(text + start..text + end)?).ok()
}

fn number(at: usize) -> Option<usize> {
    let bytes = TABLE.get(at..at + 4)?;
    usize::try_from(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vendor(mac: &str) -> Option<&'static str> {
        let bytes: Vec<u8> = mac.split(':').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
        of(Mac(bytes.try_into().unwrap()))
    }

    #[test]
    fn blocks_of_every_size_are_found() {
        for (mac, name) in [
            ("00:11:32:e5:79:5c", "Synology"),
            ("00:00:00:00:00:01", "XEROX"),
            ("2c:cf:67:00:00:01", "Raspberry Pi (Trading)"),
            ("00:1b:c5:00:00:00", "Converging Systems"),
            ("02:00:00:00:00:01", "locally administered"),
        ] {
            assert_eq!(vendor(mac), Some(name), "{mac}");
        }
    }

    #[test]
    fn every_name_can_be_read() {
        let counts = [number(0).unwrap(), number(4).unwrap(), number(8).unwrap()];
        let names = number(12).unwrap();
        let ends = 20 + counts[0] * 5 + counts[1] * 6 + counts[2] * 7;
        assert_eq!(TABLE.len(), ends + names * 4 + number(16).unwrap());
        let longest = (0..names).map(|index| name(ends, names, index).unwrap().chars().count()).max();
        assert_eq!((counts[0] > 30_000, longest), (true, Some(32)));
    }
}
