//! IP addresses as text, for every row twice: the standard library's formatting takes several times as long.

use crate::row::Text;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Decimal digits of each octet and how many they are.
const OCTETS: [([u8; 3], usize); 256] = {
    let mut octets = [([0; 3], 0); 256];
    let mut value: u8 = 0;
    loop {
        let digits = [b'0' + value / 100, b'0' + value / 10 % 10, b'0' + value % 10];
        octets[value as usize] = match value {
            0..10 => ([digits[2], 0, 0], 1),
            10..100 => ([digits[1], digits[2], 0], 2),
            _ => (digits, 3),
        };
        if value == u8::MAX {
            break octets;
        }
        value += 1;
    }
};

/// Both digits of each byte.
const HEXADECIMAL: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut bytes = [[0; 2]; 256];
    let mut value: u8 = 0;
    loop {
        bytes[value as usize] = [DIGITS[(value >> 4) as usize], DIGITS[(value & 15) as usize]];
        if value == u8::MAX {
            break bytes;
        }
        value += 1;
    }
};

pub(super) fn ipv4(address: Ipv4Addr, text: &mut Text<45>) {
    let mut bytes = [b'.'; 16];
    let mut end = 0;
    for octet in address.octets() {
        let (digits, length) = OCTETS[usize::from(octet)];
        // A digit too many is overwritten by what follows.
        bytes[end..end + 3].copy_from_slice(&digits);
        end += length + 1;
        bytes[end - 1] = b'.';
    }
    text.push_ascii(&bytes[..end - 1]);
}

/// RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups as `::`.
pub(super) fn ipv6(address: Ipv6Addr, text: &mut Text<45>) {
    if let Some(mapped) = address.to_ipv4_mapped() {
        text.push_ascii(b"::ffff:");
        return ipv4(mapped, text);
    }
    let groups = address.segments();
    let gap = longest_gap(groups);
    // One group more than there are: whole words are written, and what is too many is overwritten by what follows.
    let mut bytes = [b':'; 48];
    let mut end = 0;
    for (at, group) in groups.into_iter().enumerate() {
        if gap.contains(&at) {
            // Two colons for the whole gap, one of which separates what follows; they are there already.
            end += if at == gap.start { 2 } else { 0 };
            continue;
        }
        // The colon between two groups is there already, too.
        end += usize::from(at > 0 && (gap.is_empty() || at != gap.end));
        let [high, low] = group.to_be_bytes().map(|byte| HEXADECIMAL[usize::from(byte)]);
        let zeros = (group.leading_zeros() / 4).min(3);
        let digits = u32::from_be_bytes([high[0], high[1], low[0], low[1]]) << (8 * zeros);
        bytes[end..end + 4].copy_from_slice(&digits.to_be_bytes());
        end += 4 - zeros as usize;
        bytes[end..end + 2].copy_from_slice(b"::");
    }
    text.push_ascii(&bytes[..end]);
}

fn longest_gap(groups: [u16; 8]) -> std::ops::Range<usize> {
    let mut longest = 0..0;
    let mut start = 0;
    for (at, group) in groups.into_iter().enumerate() {
        if group != 0 {
            start = at + 1;
        } else if at + 1 - start > longest.len() {
            longest = start..at + 1;
        }
    }
    if longest.len() < 2 { 0..0 } else { longest }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Addresses with every pattern of zero groups, and random ones.
    #[test]
    fn texts_are_those_of_the_standard_library() {
        let mut random = fastrand::Rng::with_seed(7);
        for round in 0..200_000_u32 {
            let pattern = round % 256;
            let width = random.u32(1..=16);
            let groups: [u16; 8] =
                std::array::from_fn(
                    |at| if pattern >> at & 1 == 0 { 0 } else { random.u16(..) >> (16 - width) },
                );
            let address = match round % 97 {
                0 => Ipv4Addr::from_bits(random.u32(..)).to_ipv6_mapped(),
                _ => Ipv6Addr::from(groups),
            };
            let mut text = Text::new();
            ipv6(address, &mut text);
            assert_eq!(text.as_str(), address.to_string());

            let address = Ipv4Addr::from_bits(random.u32(..));
            let mut text = Text::new();
            ipv4(address, &mut text);
            assert_eq!(text.as_str(), address.to_string());
        }
    }
}
