//! Which parts of addresses and ports the rows may show.

use crate::packet::{Address, Cast, Mac, Packet};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

/// How rows show addresses and ports.
///
/// Group and broadcast addresses stay whole, because they identify no host. The exceptions are IPv6's solicited-node
/// groups: each holds the low 24 bits of one host's address, so they are treated like the address of a host.
#[derive(Debug, Clone)]
pub struct Privacy {
    pub addresses: Addresses,
    pub ports: bool,
    /// Whether rows show whole MAC addresses, or only the vendor's half.
    pub whole_mac: bool,
}

impl Default for Privacy {
    fn default() -> Self {
        Self { addresses: Addresses::Whole, ports: true, whole_mac: true }
    }
}

/// How rows show IP addresses.
#[derive(Debug, Clone)]
pub enum Addresses {
    Whole,
    /// The first 24 bits of IPv4, the first 48 bits of IPv6.
    Truncated,
    /// A keyed hash: the same address gives the same text as long as the key stays the same.
    Hashed(HashKey),
}

/// A secret key. Formatting it shows nothing of it.
#[derive(Clone)]
pub struct HashKey(Hmac<Sha256>);

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(..)")
    }
}

#[derive(Debug, thiserror::Error)]
pub enum HashKeyError {
    #[error("cannot read the hash key `{}`", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error(
        "the hash key `{}` has {length} bytes, but at least {LEAST_KEY} are needed\n\
         hint: create one with `head -c 32 /dev/urandom > FILE`",
        path.display()
    )]
    Short { path: PathBuf, length: usize },
    #[error("the hash key `{}` cannot be used", path.display())]
    Unusable { path: PathBuf },
}

/// The length of the shortest key, in bytes.
const LEAST_KEY: usize = 16;

impl HashKey {
    /// Reads a key: all bytes of the file count.
    pub fn read(path: &Path) -> Result<Self, HashKeyError> {
        let bytes =
            std::fs::read(path).map_err(|source| HashKeyError::Unreadable { path: path.into(), source })?;
        let length = bytes.len();
        if length < LEAST_KEY {
            return Err(HashKeyError::Short { path: path.into(), length });
        }
        Hmac::new_from_slice(&bytes).map(Self).map_err(|_| HashKeyError::Unusable { path: path.into() })
    }

    /// Returns the first 64 bits of HMAC-SHA-256: enough that no two addresses of a network share a hash.
    fn hash(&self, address: &[u8]) -> Address {
        let digest = self.0.clone().chain_update(address).finalize().into_bytes();
        Address::Hashed(digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte)))
    }
}

impl Privacy {
    /// Replaces the addresses and ports of a packet by those that rows may show.
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

    /// Returns the address that rows may show.
    #[must_use]
    pub fn address(&self, address: Address) -> Address {
        let plain = match address {
            Address::V4(address) => IpAddr::V4(address),
            Address::V6(address) => IpAddr::V6(address),
            Address::None | Address::Hashed(_) => return address,
        };
        let identifies_a_host = match plain {
            IpAddr::V4(address) => {
                !address.is_multicast() && !address.is_unspecified() && !address.is_broadcast()
            }
            IpAddr::V6(address) => {
                is_solicited_node(address) || !address.is_multicast() && !address.is_unspecified()
            }
        };
        if !identifies_a_host {
            return address;
        }
        match (&self.addresses, plain) {
            (Addresses::Whole, _) => address,
            (Addresses::Truncated, IpAddr::V4(address)) => {
                Address::V4(Ipv4Addr::from_bits(address.to_bits() & (!0 << 8)))
            }
            // The part that all solicited-node groups share is their first 104 bits.
            (Addresses::Truncated, IpAddr::V6(address)) if is_solicited_node(address) => {
                Address::V6(Ipv6Addr::from_bits(address.to_bits() & (!0 << 24)))
            }
            (Addresses::Truncated, IpAddr::V6(address)) => {
                Address::V6(Ipv6Addr::from_bits(address.to_bits() & (!0 << 80)))
            }
            (Addresses::Hashed(key), IpAddr::V4(address)) => key.hash(&address.octets()),
            (Addresses::Hashed(key), IpAddr::V6(address)) => key.hash(&address.octets()),
        }
    }

    /// A frame to a solicited-node group carries the low 24 bits of the host's IPv6 address in its destination, so it is
    /// cut where MAC addresses are cut and also where IP addresses are hidden.
    fn mac(&self, mac: Mac) -> Mac {
        let whole_addresses = matches!(self.addresses, Addresses::Whole);
        match mac.0 {
            [0x33, 0x33, 0xff, ..] if self.whole_mac && whole_addresses => mac,
            [0x33, 0x33, 0xff, ..] => Mac([0x33, 0x33, 0xff, 0, 0, 0]),
            [a, b, c, ..] if !self.whole_mac && mac.cast() == Cast::Unicast => Mac([a, b, c, 0, 0, 0]),
            _ => mac,
        }
    }
}

/// Returns whether the address is in `ff02::1:ff00:0/104` (RFC 4291, section 2.7.1).
fn is_solicited_node(address: Ipv6Addr) -> bool {
    const PREFIX: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 0);
    address.to_bits() >> 24 == PREFIX.to_bits() >> 24
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(privacy: &Privacy, address: &str) -> String {
        privacy.address(Some(address.parse().unwrap()).into()).text().to_string()
    }

    fn hashed(bytes: &[u8]) -> Privacy {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        Privacy { addresses: Addresses::Hashed(HashKey::read(file.path()).unwrap()), ..Privacy::default() }
    }

    #[test]
    fn truncation_keeps_24_and_48_bits() {
        let privacy = Privacy { addresses: Addresses::Truncated, ..Privacy::default() };
        let addresses =
            ["172.16.10.208", "2001:db8:1:2:3:4:5:6", "239.255.255.250", "ff02::fb", "255.255.255.255"];
        assert_eq!(
            addresses.map(|address| shown(&privacy, address)),
            ["172.16.10.0", "2001:db8:1::", "239.255.255.250", "ff02::fb", "255.255.255.255"]
        );
    }

    /// Two hosts whose addresses end in 33:4466 and 33:4467: neither the group nor its MAC address tells them apart.
    #[test]
    fn solicited_node_groups_show_nothing_of_the_host() {
        let groups = ["ff02::1:ff33:4466", "ff02::1:ff33:4467"];
        let macs = [0x66, 0x67].map(|last| Mac([0x33, 0x33, 0xff, 0x33, 0x44, last]));
        let cut = Mac([0x33, 0x33, 0xff, 0, 0, 0]);

        let truncated = Privacy { addresses: Addresses::Truncated, ..Privacy::default() };
        assert_eq!(groups.map(|group| shown(&truncated, group)), ["ff02::1:ff00:0"; 2]);
        assert_eq!(macs.map(|mac| truncated.mac(mac)), [cut; 2]);

        let hashed = hashed(&[7; 32]);
        assert!(groups.iter().all(|group| shown(&hashed, group).starts_with('#')));
        assert_eq!(macs.map(|mac| hashed.mac(mac)), [cut; 2]);

        let vendor = Privacy { whole_mac: false, ..Privacy::default() };
        assert_eq!(macs.map(|mac| vendor.mac(mac)), [cut; 2]);

        assert_eq!(groups.map(|group| shown(&Privacy::default(), group)), groups);
        assert_eq!(macs.map(|mac| Privacy::default().mac(mac)), macs);
        // Other groups identify no host.
        assert_eq!(shown(&truncated, "ff02::1:ff:1"), "ff02::1:ff:1");
        assert_eq!(truncated.mac(Mac([0x33, 0x33, 0, 0, 0, 0xfb])), Mac([0x33, 0x33, 0, 0, 0, 0xfb]));
    }

    #[test]
    fn a_hash_depends_on_every_byte_of_the_key_and_of_the_address() {
        let first = hashed(&[7; 100]);
        let mut last_byte_differs = [7; 100];
        last_byte_differs[99] = 8;
        let second = hashed(&last_byte_differs);
        let text = shown(&first, "172.16.10.208");
        assert_eq!((text.len(), text.starts_with('#')), (17, true));
        assert_eq!(text, shown(&first, "172.16.10.208"));
        assert_ne!(text, shown(&second, "172.16.10.208"));
        assert_ne!(text, shown(&first, "172.16.10.209"));
    }

    /// The text is `printf '\xac\x10\x0a\xd0' | openssl dgst -sha256 -hmac "0123456789abcdef"`, cut to 16 digits.
    #[test]
    fn a_hash_is_hmac_sha_256() {
        assert_eq!(shown(&hashed(b"0123456789abcdef"), "172.16.10.208"), "#181980d357c8eccd");
    }

    #[test]
    fn a_short_key_is_refused_with_a_hint() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "secret").unwrap();
        let error = HashKey::read(file.path()).unwrap_err().to_string();
        assert!(error.contains("has 6 bytes, but at least 16 are needed\nhint: "), "{error}");
    }

    #[test]
    fn the_vendor_half_of_a_mac_address_stays() {
        let privacy = Privacy { whole_mac: false, ..Privacy::default() };
        assert_eq!(privacy.mac(Mac([0, 0x11, 0x32, 1, 2, 3])), Mac([0, 0x11, 0x32, 0, 0, 0]));
        let group = Mac([1, 0, 0x5e, 0x7f, 0xff, 0xfa]);
        assert_eq!(privacy.mac(group), group);
    }
}
