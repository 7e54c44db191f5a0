//! What user space asks of the program while it runs.

use core::net::SocketAddr;

use crate::{Flags, Record};

/// The number of endpoints that [`Control::own`] holds.
pub const MAX_OWN: usize = 8;

/// Settings, written by user space into the only entry of [`map::CONTROL`](crate::map::CONTROL) at any time.
///
/// The program reads them afresh for each packet. The kernel copies an update word by word, so a packet in that very
/// moment may see half of it: at worst that one packet is judged by the old list.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// One packet of this many is shown, on each CPU: of each `ratio` consecutive packets exactly one, at a place
    /// chosen at random (so that traffic with a rhythm is not sampled in step with it). 1 shows every packet, 0 none:
    /// then every packet that is not [`own`](Control::own) counts as sampled out. A new ratio starts a new block.
    ///
    /// While the ring is more than half full, because a burst came sooner than the reader, fewer are shown: one of 4
    /// times as many, and 4 times that with each further sixteenth of the ring, up to 4096 times.
    pub ratio: u32,
    /// How many entries of `own` are in use, at most [`MAX_OWN`].
    pub own_count: u32,
    /// The push target's addresses. TCP from one of them, or to one of them, is counted as
    /// [`Counters::own`](crate::Counters::own) and nothing else, so that a push is never the cause of another.
    pub own: [Endpoint; MAX_OWN],
}

impl Control {
    /// Replaces the push target's addresses. Returns false if there are more than [`MAX_OWN`]; the rest is left out.
    pub fn set_own(&mut self, addresses: impl IntoIterator<Item = SocketAddr>) -> bool {
        let mut addresses = addresses.into_iter();
        self.own = [Endpoint::default(); MAX_OWN];
        self.own_count = 0;
        for (slot, address) in self.own.iter_mut().zip(addresses.by_ref()) {
            *slot = Endpoint::from(address);
            self.own_count += 1;
        }
        addresses.next().is_none()
    }

    /// Whether the packet is TCP to or from the push target.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "in the kernel a call would hide the alignment of both addresses"
    )]
    #[must_use]
    pub fn is_own(&self, record: &Record) -> bool {
        if record.protocol != 6 || !record.flags.contains(Flags::PORTS) {
            return false;
        }
        for (index, endpoint) in self.own.iter().enumerate() {
            if index >= self.own_count as usize {
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

/// Compares in words: in the kernel `==` is a call that compares bytes.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as for `is_own`")]
fn same(one: &[u8; 16], other: &[u8; 16]) -> bool {
    let words = |bytes: &[u8; 16]| u128::from_ne_bytes(*bytes);
    words(one) ^ words(other) == 0
}

/// An address and a TCP port.
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
    /// An IPv4-mapped IPv6 address (`::ffff:a.b.c.d`) is the IPv4 address that is on the wire.
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
        assert_eq!(size_of::<Control>(), 4 + 4 + 24 * MAX_OWN);
    }

    #[test]
    fn own_addresses_are_those_on_the_wire() {
        let mut control = Control::default();
        let listed = ["192.0.2.7:3000", "[::ffff:192.0.2.8]:3000", "[2001:db8::1]:443"];
        assert!(control.set_own(listed.iter().map(|text| text.parse().unwrap())));
        assert_eq!(control.own_count, 3);
        assert_eq!(control.own[0].address, [192, 0, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(
            (control.own[1].address[..4].to_vec(), control.own[1].version),
            (std::vec![192, 0, 2, 8], 4)
        );
        assert_eq!((control.own[2].address[0], control.own[2].port, control.own[2].version), (0x20, 443, 6));
    }

    #[test]
    fn own_is_tcp_in_either_direction_on_that_port_and_address_only() {
        let mut control = Control::default();
        control.set_own([SocketAddr::from(([192, 0, 2, 7], 3000))]);
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
        assert!(control.is_own(&answer));
        assert!(control.is_own(&push));
        for stranger in [
            Record { protocol: 17, ..answer },
            Record { version: 6, ..answer },
            Record { source_port: 3001, ..answer },
            Record { source_address: other.address, ..answer },
            Record { flags: Flags::default(), ..answer },
            // The right port on one side, the right address on the other.
            Record { source_port: 40000, destination_port: 3000, ..answer },
        ] {
            assert!(!control.is_own(&stranger), "{stranger:?}");
        }
        control.own_count = 0;
        assert!(!control.is_own(&answer));
    }

    #[test]
    fn says_when_addresses_do_not_fit() {
        let mut control = Control::default();
        let nine = (1..=9).map(|last| SocketAddr::from(([192, 0, 2, last], 3000)));
        assert!(!control.set_own(nine));
        assert_eq!(control.own_count, 8);
    }
}
