//! Who made a network card: the IEEE's public listings of MAC address blocks, compacted.
//!
//! `ieee.bin` is made by `examples/vendor_table.rs`, which also tells its layout and where the data is from.

use crate::packet::Mac;

/// The table itself, kept in the binary's read-only pages.
static TABLE: &[u8] = include_bytes!("ieee.bin");

/// Prefix sizes in bytes and bits: MA-L, MA-M, MA-S.
const WIDTHS: [(usize, usize); 3] = [(3, 24), (4, 28), (5, 36)];

/// The organisation that the address's block is assigned to. None for a block that nobody holds.
#[must_use]
pub fn of(mac: Mac) -> Option<&'static str> {
    const LOCALLY_ADMINISTERED: u8 = 0b10;
    if mac.0[0] & LOCALLY_ADMINISTERED != 0 {
        return Some("locally administered");
    }
    // An empty name marks a block that is divided into smaller ones.
    (0..WIDTHS.len()).find_map(|width| lookup(width, mac).filter(|name| !name.is_empty()))
}

fn lookup(width: usize, mac: Mac) -> Option<&'static str> {
    let counts = [number(0)?, number(4)?, number(8)?];
    let names = number(12)?;
    let size = |width: usize| counts[width] * (WIDTHS[width].0 + 2);
    let start = 20 + (0..width).map(size).sum::<usize>();
    let (bytes, bits) = WIDTHS[width];
    let wanted = prefix(mac, bytes, bits);

    let prefixes = TABLE.get(start..start + counts[width] * bytes)?;
    let (mut low, mut high) = (0, counts[width]);
    while low < high {
        let middle = low.midpoint(high);
        match prefixes[middle * bytes..][..bytes].cmp(&wanted[..bytes]) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
            std::cmp::Ordering::Equal => {
                let at = start + counts[width] * bytes + middle * 2;
                let index = TABLE.get(at..at + 2)?;
                let index = usize::from(u16::from_le_bytes([index[0], index[1]]));
                return name(20 + (0..3).map(size).sum::<usize>(), names, index);
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
        let asked = [
            "00:11:32:e5:79:5c",
            "00:00:00:00:00:01",
            "2c:cf:67:00:00:01",
            "00:1b:c5:00:00:00",
            "02:00:00:00:00:01",
        ];
        insta::assert_debug_snapshot!(asked.map(|mac| (mac, vendor(mac))));
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
