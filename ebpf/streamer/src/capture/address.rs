//! The interface that has an address, for hosts whose interface names are not known beforehand.

use super::{Interfaces, netlink};
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use std::io;
use std::net::IpAddr;

#[derive(Debug, thiserror::Error)]
pub enum HolderError {
    #[error("no interface has the address `{address}`{}", hint(present))]
    Nobody { address: IpAddr, present: Vec<IpAddr> },
    #[error("cannot list the addresses of the interfaces")]
    Unknown(#[from] io::Error),
}

fn hint(present: &[IpAddr]) -> String {
    let present: Vec<String> = present.iter().map(ToString::to_string).collect();
    if present.is_empty() { String::new() } else { format!("\nhint: use one of {}", present.join(", ")) }
}

impl Interfaces {
    /// Returns the name of the interface that has `address` now.
    pub fn holder(&self, address: IpAddr) -> Result<String, HolderError> {
        let held: Vec<(u32, IpAddr)> = netlink::addresses()?
            .iter()
            .filter_map(|message| Some((message.header.index, local(message)?)))
            .collect();
        match held.iter().find(|(_, other)| *other == address) {
            Some((index, _)) => Ok(self.name(*index)?),
            None => Err(HolderError::Nobody {
                address,
                present: held.into_iter().map(|(_, other)| other).collect(),
            }),
        }
    }
}

/// Returns the host's own address. On a point-to-point link `IFA_ADDRESS` is the other end and `IFA_LOCAL` is ours; IPv6
/// has only the first.
fn local(message: &AddressMessage) -> Option<IpAddr> {
    let local = message.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Local(address) => Some(*address),
        _ => None,
    });
    local.or_else(|| {
        message.attributes.iter().find_map(|attribute| match attribute {
            AddressAttribute::Address(address) => Some(*address),
            _ => None,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_has_its_address() {
        let interfaces = Interfaces::open().unwrap();
        assert_eq!(interfaces.holder([127, 0, 0, 1].into()).unwrap(), "lo");
    }

    #[test]
    fn an_unknown_address_is_refused_with_the_known_ones() {
        let held = HolderError::Nobody {
            address: [192, 0, 2, 1].into(),
            present: vec![[127, 0, 0, 1].into(), [172, 16, 10, 221].into()],
        };
        assert_eq!(
            held.to_string(),
            "no interface has the address `192.0.2.1`\nhint: use one of 127.0.0.1, 172.16.10.221"
        );
        let interfaces = Interfaces::open().unwrap();
        let nobody = interfaces.holder([192, 0, 2, 1].into());
        assert!(matches!(nobody, Err(HolderError::Nobody { .. })), "{nobody:?}");
    }
}
