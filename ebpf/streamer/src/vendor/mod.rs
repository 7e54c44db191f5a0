//! The vendor of a network card, from the IEEE's public listings of MAC address blocks.
//!
//! `examples/vendor_table.rs` makes `ieee.bin`, and documents its layout and the source of the data.

use crate::packet::Mac;

/// The table, which stays in the read-only pages of the binary.
static TABLE: &[u8] = include_bytes!("ieee.bin");

/// Length of the five counts at the start of the table.
const HEADER: usize = 20;

/// Length of the prefixes in bytes and in bits: MA-L, MA-M, MA-S.
const WIDTHS: [(usize, usize); 3] = [(3, 24), (4, 28), (5, 36)];

/// Returns the organisation that the block of this address is assigned to, or None for a block that is not assigned.
#[must_use]
pub fn of(mac: Mac) -> Option<&'static str> {
    const LOCALLY_ADMINISTERED: u8 = 0b10;
    if mac.0[0] & LOCALLY_ADMINISTERED != 0 {
        return Some("locally administered");
    }
    let table = Table::read()?;
    let name = |width: &Width| table.name(width.find(mac)?);
    // An empty name marks a block that is divided into smaller ones.
    table.widths.iter().find_map(|width| name(width).filter(|name| !name.is_empty()))
}

/// The parts of the table.
struct Table {
    widths: [Width; 3],
    /// For each name, where it ends in `text`: four bytes, little-endian.
    ends: &'static [u8],
    text: &'static [u8],
}

/// The assigned blocks of one size, in the order of their prefixes.
#[derive(Clone, Copy, Default)]
struct Width {
    bytes: usize,
    bits: usize,
    prefixes: &'static [u8],
    /// For each prefix, the number of its name: two bytes, little-endian.
    names: &'static [u8],
}

impl Table {
    fn read() -> Option<Self> {
        let (counts, mut rest) = TABLE.split_at_checked(HEADER)?;
        let mut part = |length: usize| {
            let (part, after) = rest.split_at_checked(length)?;
            rest = after;
            Some(part)
        };
        let mut widths = [Width::default(); 3];
        for (at, (width, (bytes, bits))) in widths.iter_mut().zip(WIDTHS).enumerate() {
            let count = number(counts, at)?;
            *width = Width { bytes, bits, prefixes: part(count * bytes)?, names: part(count * 2)? };
        }
        let ends = part(number(counts, 3)? * 4)?;
        Some(Self { widths, ends, text: part(number(counts, 4)?)? })
    }

    fn name(&self, index: usize) -> Option<&'static str> {
        let start = if index == 0 { 0 } else { number(self.ends, index - 1)? };
        std::str::from_utf8(self.text.get(start..number(self.ends, index)?)?).ok()
    }
}

impl Width {
    /// Returns the number of the name that the prefix of `mac` has.
    fn find(&self, mac: Mac) -> Option<usize> {
        let mut wanted = mac.0;
        if !self.bits.is_multiple_of(8) {
            wanted[self.bytes - 1] &= 0xf0;
        }
        let wanted = wanted.get(..self.bytes)?;
        let (mut low, mut high) = (0, self.prefixes.len() / self.bytes);
        while low < high {
            let middle = low.midpoint(high);
            match self.prefixes.get(middle * self.bytes..)?.get(..self.bytes)?.cmp(wanted) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => {
                    let name = self.names.get(middle * 2..)?.first_chunk()?;
                    return Some(usize::from(u16::from_le_bytes(*name)));
                }
            }
        }
        None
    }
}

/// Returns the little-endian number at place `index` of a list of numbers of four bytes.
fn number(list: &[u8], index: usize) -> Option<usize> {
    let bytes = list.get(index.checked_mul(4)?..)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*bytes)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vendor(mac: &str) -> Option<&'static str> {
        let bytes: Vec<u8> = mac.split(':').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
        of(Mac(bytes.try_into().unwrap()))
    }

    #[test]
    fn a_block_of_each_size_is_found() {
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
        let table = Table::read().unwrap();
        let names = table.ends.len() / 4;
        let longest = (0..names).map(|index| table.name(index).unwrap().chars().count()).max();
        assert_eq!((table.widths[0].prefixes.len() / 3 > 30_000, longest), (true, Some(32)));
        let parts = table.widths.iter().map(|width| width.prefixes.len() + width.names.len());
        assert_eq!(HEADER + parts.sum::<usize>() + table.ends.len() + table.text.len(), TABLE.len());
    }
}
