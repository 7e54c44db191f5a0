//! Attaching the program to an interface, and the reasons why that fails.

use super::bpf::{self, AttachPoint};
use super::{Device, LinkType, Occupants};
use std::fmt;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

/// The hook of the kernel that the user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hook {
    /// The one that suits the interface best: see [`plan`].
    #[default]
    Auto,
    Xdp(XdpMode),
    /// After XDP, and beside other TCX programs. It needs Linux 6.6.
    Tcx,
}

/// The XDP mode that the user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum XdpMode {
    /// The driver's mode, or the generic mode if the driver refuses.
    #[default]
    Auto,
    Driver,
    Generic,
}

/// Which packets the user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Directions {
    #[default]
    Received,
    Sent,
    Both,
}

impl Directions {
    pub(super) const fn received(self) -> bool {
        !matches!(self, Self::Sent)
    }

    pub(super) const fn sent(self) -> bool {
        !matches!(self, Self::Received)
    }
}

/// How the program is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Driver,
    Generic,
    Tcx,
}

impl Mode {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::Generic => "generic",
            Self::Tcx => "tcx",
        }
    }

    /// Returns where the program for received packets is attached in this mode.
    pub(super) const fn point(self) -> AttachPoint {
        match self {
            Self::Driver => AttachPoint::XdpDriver,
            Self::Generic => AttachPoint::XdpGeneric,
            Self::Tcx => AttachPoint::TcxIngress,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The modes to try on an interface, in this order, and why the first one comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    pub first: Mode,
    pub fallback: Option<Mode>,
    pub reason: &'static str,
}

/// Drivers in whose own mode an XDP program costs little, with the source of that knowledge.
const DRIVER_MODE_IS_CHEAP: [(&str, &str); 1] = [(
    "mlx5_core",
    "driver mode costs about 13 ns a packet on this driver (measured in \"The eXpress Data Path\", CoNEXT 2018)",
)];

/// Chooses the modes for an interface.
pub fn plan(hook: Hook, interface: &str, device: &Device) -> Result<Plan, AttachError> {
    let plan = |first, fallback, reason| Ok(Plan { first, fallback, reason });
    match (hook, device.link) {
        (_, LinkType::Other(number)) => {
            Err(AttachError::LinkType { interface: interface.to_owned(), number })
        }
        (Hook::Xdp(_), LinkType::Ip) => Err(AttachError::NoEthernet { interface: interface.to_owned() }),
        (Hook::Tcx, _) => plan(Mode::Tcx, None, "it was asked for"),
        (Hook::Xdp(XdpMode::Driver), _) => plan(Mode::Driver, None, "it was asked for"),
        (Hook::Xdp(XdpMode::Generic), _) => plan(Mode::Generic, None, "it was asked for"),
        (Hook::Xdp(XdpMode::Auto), _) => {
            plan(Mode::Driver, Some(Mode::Generic), "XDP was asked for, and driver mode comes first")
        }
        (Hook::Auto, LinkType::Ip) => {
            plan(Mode::Tcx, None, "only TCX can read packets without an Ethernet header")
        }
        (Hook::Auto, LinkType::Ethernet) => {
            let cheap = DRIVER_MODE_IS_CHEAP.iter().find(|(driver, _)| device.driver == *driver);
            if let Some((_, reason)) = cheap {
                return plan(Mode::Driver, Some(Mode::Tcx), reason);
            }
            let reason = if device.is_stmmac() {
                "attaching in driver mode would restart this device and its link"
            } else if device.driver == "veth" {
                "driver mode on veth would copy each packet, which makes the watched traffic several times slower"
            } else {
                "TCX reads packets where they are, and works beside other programs"
            };
            plan(Mode::Tcx, Some(Mode::Generic), reason)
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    #[error(
        "the XDP hook of `{interface}` is in use by {occupants} (wanted: {wanted} mode)\n\
         hint: watch beside it, after XDP:            --hook tcx\n\
         hint: keep it and watch another interface:   --interface OTHER\n\
         hint: {}",
        occupants.eviction(interface)
    )]
    Occupied { interface: String, wanted: Mode, occupants: Occupants },
    #[error("`{interface}` is gone")]
    Gone { interface: String },
    #[error(
        "no permission to attach to `{interface}`\nhint: grant CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, or run as root"
    )]
    Permission { interface: String },
    #[error("the kernel has no TCX, which exists since Linux 6.6\nhint: use --hook xdp")]
    NoTcx,
    #[error(
        "packets of `{interface}` begin with the IP header, which XDP programs cannot rely on\nhint: use --hook tcx"
    )]
    NoEthernet { interface: String },
    #[error(
        "`{interface}` has neither Ethernet nor IP packets (link type {number} of linux/if_arp.h)\n\
         hint: watch another interface"
    )]
    LinkType { interface: String, number: u16 },
    #[error("`{interface}` has another link type than before\nhint: restart xdp-streamer")]
    LinkTypeChanged { interface: String },
    #[error("XDP programs see received packets only\nhint: use --direction in, or --hook tcx")]
    XdpCannotSend,
    #[error("`{interface}` refuses an XDP program in {wanted} mode: {source}{}", hint(*wanted))]
    Refused { interface: String, wanted: Mode, source: io::Error },
    #[error("cannot set up the reception of `{interface}`: {source}{}", reception_hint(source))]
    Reception { interface: String, source: io::Error },
    #[error("cannot ask the kernel about `{interface}`: {source}")]
    Unknown { interface: String, source: io::Error },
}

fn hint(wanted: Mode) -> &'static str {
    match wanted {
        Mode::Driver => "\nhint: use --hook tcx, or --xdp-mode generic",
        Mode::Generic | Mode::Tcx => "",
    }
}

fn reception_hint(source: &io::Error) -> &'static str {
    if source.kind() == io::ErrorKind::PermissionDenied {
        "\nhint: grant CAP_NET_RAW as well, or remove --all-multicast and --promiscuous"
    } else {
        ""
    }
}

/// Attaches a program. Dropping the descriptor detaches it.
pub(super) fn attach(
    program: BorrowedFd<'_>,
    interface: &str,
    index: u32,
    mode: Mode,
    point: AttachPoint,
) -> Result<OwnedFd, AttachError> {
    bpf::create_link(program, index, point).map_err(|error| explain(interface, index, mode, error))
}

fn explain(interface: &str, index: u32, wanted: Mode, source: io::Error) -> AttachError {
    let interface = interface.to_owned();
    match (wanted, source.raw_os_error()) {
        (_, Some(libc::ENODEV)) => AttachError::Gone { interface },
        (_, Some(libc::EPERM | libc::EACCES)) => AttachError::Permission { interface },
        (Mode::Tcx, Some(libc::EINVAL)) => AttachError::NoTcx,
        // EBUSY: a link in the same mode; EEXIST: a program in the other mode.
        (Mode::Driver | Mode::Generic, Some(libc::EBUSY | libc::EEXIST)) => {
            AttachError::Occupied { interface, wanted, occupants: Occupants::of(index).unwrap_or_default() }
        }
        _ => AttachError::Refused { interface, wanted, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(driver: &str, link: LinkType) -> Device {
        Device {
            index: 2,
            link,
            driver: driver.to_owned(),
            mtu: 1500,
            is_virtual: false,
            is_up: true,
            has_carrier: true,
            receives_all_multicast: false,
            strips_vlan_tags: None,
        }
    }

    #[test]
    fn auto_chooses_by_the_driver() {
        let first = |driver| plan(Hook::Auto, "end0", &device(driver, LinkType::Ethernet)).unwrap().first;
        let modes = ["veth", "st_gmac", "rk_gmac-dwmac", "r8169", "", "mlx5_core"].map(first);
        assert_eq!(modes, [Mode::Tcx, Mode::Tcx, Mode::Tcx, Mode::Tcx, Mode::Tcx, Mode::Driver]);
    }

    #[test]
    fn interfaces_without_ethernet_are_for_tcx_only() {
        let tun = device("tun", LinkType::Ip);
        assert_eq!(plan(Hook::Auto, "tun0", &tun).unwrap().first, Mode::Tcx);
        assert_eq!(plan(Hook::Tcx, "tun0", &tun).unwrap().first, Mode::Tcx);
        for mode in [XdpMode::Auto, XdpMode::Driver, XdpMode::Generic] {
            let refused = plan(Hook::Xdp(mode), "tun0", &tun);
            assert!(matches!(refused, Err(AttachError::NoEthernet { .. })), "{refused:?}");
        }
        let infiniband = plan(Hook::Auto, "ib0", &device("ipoib", LinkType::Other(32)));
        assert_eq!(
            infiniband.unwrap_err().to_string(),
            "`ib0` has neither Ethernet nor IP packets (link type 32 of linux/if_arp.h)\nhint: watch another interface"
        );
    }
}
