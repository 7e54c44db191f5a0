//! Who is on an interface's XDP hook already.

use netlink_packet_core::{NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkMessage, LinkXdp};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use std::fmt;
use std::io;

/// A program on the hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occupant {
    pub program_id: u32,
    /// Naming a program by its id takes `CAP_SYS_ADMIN`.
    pub name: Option<String>,
    /// The link that holds it there; None if it was attached by netlink, or cannot be known.
    pub link_id: Option<u32>,
    pub mode: &'static str,
}

/// All programs on the hook, one a mode.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Occupants(pub Vec<Occupant>);

impl Occupants {
    /// Asks the kernel by rtnetlink, which takes no privilege.
    pub fn of(interface: u32) -> io::Result<Self> {
        let occupants = programs(interface)?.into_iter().map(|(mode, program_id)| Occupant {
            program_id,
            name: name(program_id),
            link_id: link(program_id),
            mode,
        });
        Ok(Self(occupants.collect()))
    }

    /// How to take the hook from them, as a command.
    #[must_use]
    pub fn eviction(&self, interface: &str) -> String {
        match self.0.iter().find_map(|occupant| occupant.link_id) {
            Some(id) => format!("bpftool link detach id {id}"),
            None => format!("ip link set dev {interface} xdp off"),
        }
    }
}

impl fmt::Display for Occupant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "program {}", self.program_id)?;
        if let Some(name) = &self.name {
            write!(f, " `{name}`")?;
        }
        write!(f, " in {} mode", self.mode)
    }
}

impl fmt::Display for Occupants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, occupant) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { " and " };
            write!(f, "{separator}{occupant}")?;
        }
        if self.0.is_empty() { f.write_str("a program that cannot be named") } else { Ok(()) }
    }
}

/// `IFLA_XDP` of the interface: modes and program ids.
fn programs(interface: u32) -> io::Result<Vec<(&'static str, u32)>> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;

    let mut link = LinkMessage::default();
    link.header.index = interface;
    let mut request = NetlinkMessage::from(RouteNetlinkMessage::GetLink(link));
    request.header.flags = NLM_F_REQUEST;
    request.finalize();
    let mut bytes = vec![0; request.buffer_len()];
    request.serialize(&mut bytes);
    socket.send(&bytes, 0)?;

    let (answer, _) = socket.recv_from_full()?;
    let answer = NetlinkMessage::<RouteNetlinkMessage>::deserialize(&answer).map_err(io::Error::other)?;
    let link = match answer.payload {
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link)) => link,
        NetlinkPayload::Error(error) => return Err(error.to_io()),
        _ => return Ok(Vec::new()),
    };
    let attributes = link.attributes.into_iter().filter_map(|attribute| match attribute {
        LinkAttribute::Xdp(attributes) => Some(attributes),
        _ => None,
    });
    Ok(attributes
        .flatten()
        .filter_map(|attribute| match attribute {
            LinkXdp::DrvProgId(id) => Some(("driver", id)),
            LinkXdp::SkbProgId(id) => Some(("generic", id)),
            LinkXdp::HwProgId(id) => Some(("hardware", id)),
            _ => None,
        })
        .collect())
}

fn name(program: u32) -> Option<String> {
    let info = aya::programs::loaded_programs().flatten().find(|info| info.id() == program)?;
    info.name_as_str().filter(|name| !name.is_empty()).map(str::to_owned)
}

fn link(program: u32) -> Option<u32> {
    let link = aya::programs::loaded_links().flatten().find(|link| link.program_id() == program)?;
    Some(link.id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_occupant_is_named_as_far_as_it_can_be() {
        let named =
            Occupant { program_id: 7, name: Some("xdp_drop".into()), link_id: Some(3), mode: "driver" };
        let unnamed = Occupant { program_id: 8, name: None, link_id: None, mode: "generic" };
        let both = Occupants(vec![named, unnamed.clone()]);
        assert_eq!(both.to_string(), "program 7 `xdp_drop` in driver mode and program 8 in generic mode");
        assert_eq!(both.eviction("end0"), "bpftool link detach id 3");
        assert_eq!(Occupants(vec![unnamed]).eviction("end0"), "ip link set dev end0 xdp off");
    }
}
