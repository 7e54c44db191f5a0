//! The programs that are on the XDP hook of an interface already.

use super::{bpf, netlink};
use netlink_packet_route::link::{LinkAttribute, LinkXdp};
use std::fmt;
use std::io;

/// A program on the hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occupant {
    pub program_id: u32,
    /// The program's name, which only `CAP_SYS_ADMIN` may ask for.
    pub name: Option<String>,
    pub attached: Attached,
    pub mode: &'static str,
}

/// How an occupant is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attached {
    /// By the link with this id.
    Link(u32),
    /// By netlink, without a link.
    Netlink,
    /// Nobody may ask without `CAP_SYS_ADMIN`.
    Unknown,
}

/// The programs on the hook, at most one for each mode.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Occupants(pub Vec<Occupant>);

impl Occupants {
    /// Asks the kernel for the programs on an interface.
    pub fn of(interface: u32) -> io::Result<Self> {
        let links = bpf::links().ok();
        let occupants = programs(interface)?.into_iter().map(|(mode, program_id)| Occupant {
            program_id,
            name: name(program_id),
            attached: attached(links.as_deref(), interface, program_id),
            mode,
        });
        Ok(Self(occupants.collect()))
    }

    /// Returns a hint with the command that detaches the first occupant.
    #[must_use]
    pub fn eviction(&self, interface: &str) -> String {
        let Some(occupant) = self.0.first() else {
            return format!("see what is attached to it:                 bpftool net show dev {interface}");
        };
        match (occupant.attached, occupant.mode) {
            (Attached::Link(id), _) => {
                format!("detach it:                                  bpftool link detach id {id}")
            }
            (Attached::Netlink, mode) => {
                let keyword = match mode {
                    "driver" => "xdpdrv",
                    "generic" => "xdpgeneric",
                    _ => "xdpoffload",
                };
                format!(
                    "detach it:                                  ip link set dev {interface} {keyword} off"
                )
            }
            (Attached::Unknown, _) => format!(
                "how it is attached cannot be known without CAP_SYS_ADMIN; as root, `bpftool link show` lists the \
                 link of program {} on `{interface}`, if it has one",
                occupant.program_id
            ),
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
        if self.0.is_empty() { f.write_str("an unknown program") } else { Ok(()) }
    }
}

/// Returns the modes and program ids of `IFLA_XDP`.
fn programs(interface: u32) -> io::Result<Vec<(&'static str, u32)>> {
    let attributes =
        netlink::link(interface)?.attributes.into_iter().filter_map(|attribute| match attribute {
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

/// Returns how a program is attached to this very interface: it may have links to others. `links` are those of the
/// system, or None if they cannot be listed.
fn attached(links: Option<&[bpf::LinkInfo]>, interface: u32, program: u32) -> Attached {
    let Some(links) = links else { return Attached::Unknown };
    let link = links
        .iter()
        .find(|link| link.is_xdp() && link.program == program && link.interface() == Some(interface));
    link.map_or(Attached::Netlink, |link| Attached::Link(link.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_occupant_is_named_as_far_as_possible() {
        let occupant = |program_id, name: Option<&str>, attached, mode| Occupant {
            program_id,
            name: name.map(str::to_owned),
            attached,
            mode,
        };
        let named = occupant(7, Some("xdp_drop"), Attached::Link(3), "driver");
        let unnamed = occupant(8, None, Attached::Netlink, "generic");
        let both = Occupants(vec![named, unnamed.clone()]);
        assert_eq!(both.to_string(), "program 7 `xdp_drop` in driver mode and program 8 in generic mode");
        assert!(both.eviction("end0").ends_with(" bpftool link detach id 3"), "{}", both.eviction("end0"));
        let netlink = Occupants(vec![unnamed.clone()]).eviction("end0");
        assert!(netlink.ends_with(" ip link set dev end0 xdpgeneric off"), "{netlink}");
        let unknown = Occupants(vec![Occupant { attached: Attached::Unknown, ..unnamed }]).eviction("end0");
        assert!(unknown.contains("cannot be known") && !unknown.contains("detach"), "{unknown}");
    }
}
