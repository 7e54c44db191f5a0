//! What of addresses and ports may be shown.

use crate::packet::{Address, Mac, Packet};
use std::fmt;
use std::hash::Hasher as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

/// How each row's addresses and ports are shown. Group and broadcast addresses name nobody and stay whole.
#[derive(Debug, Clone)]
pub struct Privacy {
    pub addresses: Addresses,
    pub ports: bool,
    /// Whether a MAC address is shown whole, or only its vendor's half.
    pub whole_mac: bool,
}

impl Default for Privacy {
    fn default() -> Self {
        Self { addresses: Addresses::Whole, ports: true, whole_mac: true }
    }
}

/// How IP addresses are shown.
#[derive(Debug, Clone)]
pub enum Addresses {
    Whole,
    /// IPv4's first 24 bits, IPv6's first 48.
    Truncated,
    /// A keyed hash: the same address gives the same text as long as the key stays.
    Hashed(HashKey),
}

/// A secret key, never shown.
#[derive(Clone)]
pub struct HashKey([u8; 16]);

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(..)")
    }
}

#[derive(Debug, thiserror::Error)]
pub enum HashKeyError {
    #[error("cannot read the hash key `{}`: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error(
        "the hash key `{}` has {length} bytes; 16 or more are needed\nhint: head -c 32 /dev/urandom > FILE",
        path.display()
    )]
    Short { path: PathBuf, length: usize },
}

impl HashKey {
    /// Reads a key of 16 bytes or more.
    pub fn read(path: &std::path::Path) -> Result<Self, HashKeyError> {
        let bytes =
            std::fs::read(path).map_err(|source| HashKeyError::Unreadable { path: path.into(), source })?;
        let length = bytes.len();
        if length < 16 {
            return Err(HashKeyError::Short { path: path.into(), length });
        }
        // All of the file counts, not its first bytes only.
        let mut key = [0; 16];
        for (half, seed) in key.chunks_exact_mut(8).zip([0x6b65_7930, 0x6b65_7931]) {
            let mut hasher = siphasher::sip::SipHasher24::new_with_keys(seed, 0);
            hasher.write(&bytes);
            half.copy_from_slice(&hasher.finish().to_le_bytes());
        }
        let mut first = [0; 16];
        first.copy_from_slice(&bytes[..16]);
        for (byte, folded) in first.iter_mut().zip(key) {
            *byte ^= folded;
        }
        Ok(Self(first))
    }

    fn hash(&self, address: &[u8]) -> Address {
        let mut hasher = siphasher::sip::SipHasher24::new_with_key(&self.0);
        hasher.write(address);
        Address::Hashed(hasher.finish())
    }
}

impl Privacy {
    /// The packet as it may be shown.
    pub fn apply(&self, packet: &mut Packet) {
        packet.source = self.address(packet.source);
        packet.destination = self.address(packet.destination);
        packet.source_mac = self.mac(packet.source_mac);
        packet.destination_mac = self.mac(packet.destination_mac);
        if !self.ports {
            packet.source_port = 0;
            packet.destination_port = 0;
        }
    }

    /// The address as it may be shown.
    #[must_use]
    pub fn address(&self, address: Address) -> Address {
        let plain = match address {
            Address::V4(address) => IpAddr::V4(address),
            Address::V6(address) => IpAddr::V6(address),
            Address::None | Address::Hashed(_) => return address,
        };
        if plain.is_multicast() || plain.is_unspecified() || plain == IpAddr::V4(Ipv4Addr::BROADCAST) {
            return address;
        }
        match (&self.addresses, plain) {
            (Addresses::Whole, _) => address,
            (Addresses::Truncated, IpAddr::V4(address)) => {
                Address::V4(Ipv4Addr::from_bits(address.to_bits() & (!0 << 8)))
            }
            (Addresses::Truncated, IpAddr::V6(address)) => {
                Address::V6(Ipv6Addr::from_bits(address.to_bits() & (!0 << 80)))
            }
            (Addresses::Hashed(key), IpAddr::V4(address)) => key.hash(&address.octets()),
            (Addresses::Hashed(key), IpAddr::V6(address)) => key.hash(&address.octets()),
        }
    }

    fn mac(&self, mac: Mac) -> Mac {
        let [a, b, c, ..] = mac.0;
        if self.whole_mac || mac.cast() != crate::packet::Cast::Unicast {
            mac
        } else {
            Mac([a, b, c, 0, 0, 0])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(privacy: &Privacy, address: &str) -> String {
        privacy.address(Some(address.parse().unwrap()).into()).text().to_string()
    }

    #[test]
    fn truncation_keeps_24_and_48_bits() {
        let privacy = Privacy { addresses: Addresses::Truncated, ..Privacy::default() };
        let asked =
            ["172.16.10.208", "2001:db8:1:2:3:4:5:6", "239.255.255.250", "ff02::fb", "255.255.255.255"];
        assert_eq!(
            asked.map(|address| shown(&privacy, address)),
            ["172.16.10.0", "2001:db8:1::", "239.255.255.250", "ff02::fb", "255.255.255.255"]
        );
    }

    #[test]
    fn a_hash_depends_on_the_whole_key_and_shows_nothing_of_the_address() {
        let directory = tempfile::tempdir().unwrap();
        let key = |name: &str, bytes: &[u8]| {
            let path = directory.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            Privacy { addresses: Addresses::Hashed(HashKey::read(&path).unwrap()), ..Privacy::default() }
        };
        let first = key("a", &[7; 32]);
        let mut last_byte_differs = [7; 32];
        last_byte_differs[31] = 8;
        let second = key("b", &last_byte_differs);
        let text = shown(&first, "172.16.10.208");
        assert_eq!((text.len(), text.starts_with('#')), (17, true));
        assert_eq!(text, shown(&first, "172.16.10.208"));
        assert_ne!(text, shown(&second, "172.16.10.208"));
        assert_ne!(text, shown(&first, "172.16.10.209"));
    }

    #[test]
    fn a_short_key_is_refused_with_a_way_on() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "secret").unwrap();
        let error = HashKey::read(file.path()).unwrap_err().to_string();
        assert!(error.contains("has 6 bytes; 16 or more are needed\nhint: "), "{error}");
    }

    #[test]
    fn the_vendor_half_of_a_mac_stays() {
        let privacy = Privacy { whole_mac: false, ..Privacy::default() };
        assert_eq!(privacy.mac(Mac([0, 0x11, 0x32, 1, 2, 3])), Mac([0, 0x11, 0x32, 0, 0, 0]));
        let group = Mac([1, 0, 0x5e, 0x7f, 0xff, 0xfa]);
        assert_eq!(privacy.mac(group), group);
    }
}
