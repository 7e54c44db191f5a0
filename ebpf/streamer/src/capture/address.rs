//! The interface that holds an address: for hosts whose interfaces have names that nobody knows beforehand.

use super::Interfaces;
use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use std::io;
use std::net::IpAddr;

#[derive(Debug, thiserror::Error)]
pub enum HolderError {
    #[error("no interface has the address `{address}`{}", hint(present))]
    Nobody { address: IpAddr, present: Vec<IpAddr> },
    #[error("the kernel does not tell the interfaces' addresses: {0}")]
    Unknown(#[from] io::Error),
}

fn hint(present: &[IpAddr]) -> String {
    let present: Vec<String> = present.iter().map(ToString::to_string).collect();
    if present.is_empty() { String::new() } else { format!("\nhint: there are {}", present.join(", ")) }
}

impl Interfaces {
    /// The name of the interface that has `address` now.
    pub fn holder(&self, address: IpAddr) -> Result<String, HolderError> {
        let held = held()?;
        match held.iter().find(|(_, other)| *other == address) {
            Some((index, _)) => Ok(self.name(*index)?),
            None => Err(HolderError::Nobody {
                address,
                present: held.into_iter().map(|(_, other)| other).collect(),
            }),
        }
    }
}

/// Every address with the index of its interface.
fn held() -> io::Result<Vec<(u32, IpAddr)>> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;

    let mut request = NetlinkMessage::from(RouteNetlinkMessage::GetAddress(AddressMessage::default()));
    request.header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.finalize();
    let mut bytes = vec![0; request.buffer_len()];
    request.serialize(&mut bytes);
    socket.send(&bytes, 0)?;

    let mut held = Vec::new();
    loop {
        let (answer, _) = socket.recv_from_full()?;
        let mut rest = answer.as_slice();
        while !rest.is_empty() {
            let message =
                NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest).map_err(io::Error::other)?;
            match message.payload {
                NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewAddress(message)) => {
                    held.extend(own(&message).map(|address| (message.header.index, address)));
                }
                NetlinkPayload::Error(error) => return Err(error.to_io()),
                NetlinkPayload::Done(_) => return Ok(held),
                _ => {}
            }
            // Messages lie at multiples of four bytes (NLMSG_ALIGNTO).
            let length = usize::try_from(message.header.length).map_err(io::Error::other)?;
            rest = rest.get(length.max(1).next_multiple_of(4)..).unwrap_or_default();
        }
    }
}

/// On a point-to-point link `IFA_ADDRESS` is the other end, `IFA_LOCAL` is ours; IPv6 has the first alone.
fn own(message: &AddressMessage) -> Option<IpAddr> {
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
    fn loopback_holds_its_address() {
        let interfaces = Interfaces::open().unwrap();
        assert_eq!(interfaces.holder([127, 0, 0, 1].into()).unwrap(), "lo");
    }

    #[test]
    fn an_address_that_nobody_has_is_told_beside_those_there_are() {
        let held = HolderError::Nobody {
            address: [192, 0, 2, 1].into(),
            present: vec![[127, 0, 0, 1].into(), [172, 16, 10, 221].into()],
        };
        assert_eq!(
            held.to_string(),
            "no interface has the address `192.0.2.1`\nhint: there are 127.0.0.1, 172.16.10.221"
        );
        let interfaces = Interfaces::open().unwrap();
        let nobody = interfaces.holder([192, 0, 2, 1].into());
        assert!(matches!(nobody, Err(HolderError::Nobody { .. })), "{nobody:?}");
    }
}
