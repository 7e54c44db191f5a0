//! MAC and IP addresses, and their texts, which allocate nothing.

use crate::row::Text;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A MAC address (EUI-48).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

/// The kind of a frame's destination MAC address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cast {
    Unicast,
    Multicast,
    Broadcast,
}

impl Cast {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unicast => "unicast",
            Self::Multicast => "multicast",
            Self::Broadcast => "broadcast",
        }
    }
}

impl Mac {
    #[must_use]
    pub fn cast(self) -> Cast {
        match self.0 {
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => Cast::Broadcast,
            [first, ..] if first & 1 == 1 => Cast::Multicast,
            _ => Cast::Unicast,
        }
    }

    #[must_use]
    pub fn text(self) -> Text<17> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut bytes = [b':'; 17];
        for (place, byte) in self.0.iter().enumerate() {
            bytes[place * 3] = DIGITS[usize::from(byte >> 4)];
            bytes[place * 3 + 1] = DIGITS[usize::from(byte & 15)];
        }
        let mut text = Text::new();
        text.push_ascii(&bytes);
        text
    }
}

/// An IP address as the rows may show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    /// The packet is not IP.
    None,
    V4(Ipv4Addr),
    V6(Ipv6Addr),
    /// A keyed hash instead of the address.
    Hashed(u64),
}

impl Address {
    #[must_use]
    pub fn text(self) -> Text<45> {
        let mut text = Text::new();
        match self {
            Self::None => {}
            // Without the standard library's formatting, a row takes a fifth less time (`benches/encode.rs`).
            Self::V4(address) => {
                for (at, octet) in address.octets().into_iter().enumerate() {
                    if at > 0 {
                        text.push_ascii(b".");
                    }
                    text.push_integer(octet);
                }
            }
            Self::V6(address) => drop(write!(text, "{address}")),
            Self::Hashed(hash) => drop(write!(text, "#{hash:016x}")),
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_their_usual_text() {
        assert_eq!(Mac([0, 0x11, 0x32, 0xe5, 0x79, 0x5c]).text().as_str(), "00:11:32:e5:79:5c");
        assert_eq!(Address::V4(Ipv4Addr::new(172, 16, 10, 208)).text().as_str(), "172.16.10.208");
        assert_eq!(Address::V6("2001:db8::1".parse().unwrap()).text().as_str(), "2001:db8::1");
        let longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
        assert_eq!(Address::V6(longest.parse().unwrap()).text().as_str(), longest);
        assert_eq!(Address::Hashed(255).text().as_str(), "#00000000000000ff");
        assert_eq!(Address::None.text().as_str(), "");
    }

    #[test]
    fn the_destination_address_decides_the_cast() {
        let casts = [[0xff; 6], [1, 0, 0x5e, 0x7f, 0xff, 0xfa], [0, 0x11, 0x32, 0xe5, 0x79, 0x5c]];
        assert_eq!(casts.map(|mac| Mac(mac).cast()), [Cast::Broadcast, Cast::Multicast, Cast::Unicast]);
    }
}
