//! The settings that user space gives the program while it runs.

use core::net::SocketAddr;

use crate::{Flags, Record};

/// The number of endpoints that [`Control::push_targets`] holds.
pub const MAX_PUSH_TARGETS: usize = 8;

/// Settings that user space may write at any time into the only entry of [`map::CONTROL`](crate::map::CONTROL).
///
/// The program reads them again for each packet. The kernel copies an update word by word, so the program may see half
/// of an update while it handles one packet: at worst that packet is judged by the old list.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// The sampling ratio: each CPU shows exactly one of each `ratio` consecutive packets. Which one is chosen at
    /// random, so that periodic traffic is not sampled in step with its period. 1 shows every packet and 0 none; with 0
    /// every packet that is not self traffic counts as sampled out. A new ratio starts a new group of packets.
    ///
    /// While the ring is more than half full, because a burst arrived before the reader did, the program shows fewer:
    /// one packet of 4 times as many, and of 4 times that with each further sixteenth of the ring, up to 4096 times.
    pub ratio: u32,
    /// The number of entries of `push_targets` in use, at most [`MAX_PUSH_TARGETS`].
    pub push_target_count: u32,
    /// The addresses that rows are pushed to. TCP from or to one of them is self traffic: it is counted as
    /// [`Counters::self_traffic`](crate::Counters::self_traffic) and never shown, so that no push causes another.
    pub push_targets: [Endpoint; MAX_PUSH_TARGETS],
}

impl Control {
    /// Replaces the push targets. Returns false if there are more than [`MAX_PUSH_TARGETS`]; the rest is ignored.
    pub fn set_push_targets(&mut self, addresses: impl IntoIterator<Item = SocketAddr>) -> bool {
        let mut addresses = addresses.into_iter();
        self.push_targets = [Endpoint::default(); MAX_PUSH_TARGETS];
        self.push_target_count = 0;
        for (slot, address) in self.push_targets.iter_mut().zip(addresses.by_ref()) {
            *slot = Endpoint::from(address);
            self.push_target_count += 1;
        }
        addresses.next().is_none()
    }

    /// Returns whether the packet is TCP from or to a push target.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "in the kernel a call would hide the alignment of both addresses"
    )]
    #[must_use]
    pub fn is_self_traffic(&self, record: &Record) -> bool {
        if record.protocol != 6 || !record.flags.contains(Flags::PORTS) {
            return false;
        }
        for (index, endpoint) in self.push_targets.iter().enumerate() {
            if index >= self.push_target_count as usize {
                break;
            }
            if endpoint.version == record.version
                && ((endpoint.port == record.source_port && same(&endpoint.address, &record.source_address))
                    || (endpoint.port == record.destination_port
                        && same(&endpoint.address, &record.destination_address)))
            {
                return true;
            }
        }
        false
    }
}

/// Compares two addresses in words: in the kernel `==` would be a call that compares bytes.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as for `is_self_traffic`")]
fn same(one: &[u8; 16], other: &[u8; 16]) -> bool {
    let words = |bytes: &[u8; 16]| u128::from_ne_bytes(*bytes);
    words(one) ^ words(other) == 0
}

/// An IP address and a TCP port.
#[repr(C, align(8))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// As in [`Record::source_address`](crate::Record::source_address).
    pub address: [u8; 16],
    /// Host byte order.
    pub port: u16,
    /// 4 or 6.
    pub version: u8,
    /// Zero.
    pub reserved: [u8; 5],
}

impl From<SocketAddr> for Endpoint {
    /// Converts an address. An IPv4-mapped IPv6 address (`::ffff:a.b.c.d`) becomes the IPv4 address that is on the wire.
    fn from(address: SocketAddr) -> Self {
        let (bytes, version) = crate::packet::address_bytes(address.ip().to_canonical());
        Self { address: bytes, port: address.port(), version, reserved: [0; 5] }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn has_no_padding() {
        assert_eq!(size_of::<Endpoint>(), 16 + 2 + 1 + 5);
        assert_eq!(size_of::<Control>(), 4 + 4 + 24 * MAX_PUSH_TARGETS);
    }

    #[test]
    fn push_targets_are_the_addresses_on_the_wire() {
        let mut control = Control::default();
        let listed = ["192.0.2.7:3000", "[::ffff:192.0.2.8]:3000", "[2001:db8::1]:443"];
        assert!(control.set_push_targets(listed.iter().map(|text| text.parse().unwrap())));
        assert_eq!(control.push_target_count, 3);
        let targets = control.push_targets;
        assert_eq!(targets[0].address, [192, 0, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!((targets[1].address[..4].to_vec(), targets[1].version), (std::vec![192, 0, 2, 8], 4));
        assert_eq!((targets[2].address[0], targets[2].port, targets[2].version), (0x20, 443, 6));
    }

    #[test]
    fn self_traffic_is_tcp_in_either_direction_on_that_port_and_address_only() {
        let mut control = Control::default();
        control.set_push_targets([SocketAddr::from(([192, 0, 2, 7], 3000))]);
        let [grafana, other] = [Endpoint::from(SocketAddr::from(([192, 0, 2, 7], 0))), Endpoint::default()];
        let answer = Record {
            version: 4,
            protocol: 6,
            flags: Flags::PORTS,
            source_address: grafana.address,
            source_port: 3000,
            destination_port: 40000,
            ..Record::default()
        };
        let push = Record {
            source_address: other.address,
            source_port: 40000,
            destination_address: grafana.address,
            destination_port: 3000,
            ..answer
        };
        assert!(control.is_self_traffic(&answer));
        assert!(control.is_self_traffic(&push));
        for stranger in [
            Record { protocol: 17, ..answer },
            Record { version: 6, ..answer },
            Record { source_port: 3001, ..answer },
            Record { source_address: other.address, ..answer },
            Record { flags: Flags::default(), ..answer },
            // The right port on one side, the right address on the other.
            Record { source_port: 40000, destination_port: 3000, ..answer },
        ] {
            assert!(!control.is_self_traffic(&stranger), "{stranger:?}");
        }
        control.push_target_count = 0;
        assert!(!control.is_self_traffic(&answer));
    }

    #[test]
    fn reports_addresses_that_do_not_fit() {
        let mut control = Control::default();
        let nine = (1..=9).map(|last| SocketAddr::from(([192, 0, 2, last], 3000)));
        assert!(!control.set_push_targets(nine));
        assert_eq!(control.push_target_count, 8);
    }
}
