//! The properties of an interface that decide how it can be watched.

use super::netlink;
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkInfo};
use rustix::net::{AddressFamily, SocketType, socket};
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};

/// An interface as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub struct Device {
    pub index: u32,
    pub link: LinkType,
    /// The name that the driver gives itself, such as `veth`, `st_gmac` or `tun`. Empty if it gives none.
    pub driver: String,
    /// Whether the interface is made by the kernel alone, without a device that could filter frames.
    pub is_virtual: bool,
    pub mtu: u32,
    /// Whether the interface is set up (`IFF_UP`).
    pub is_up: bool,
    /// Whether it has a carrier (`IFF_LOWER_UP`).
    pub has_carrier: bool,
    /// Whether it receives all multicast frames, or all frames.
    pub receives_all_multicast: bool,
    /// Whether the device removes VLAN tags from received frames. None if it does not say.
    pub strips_vlan_tags: Option<bool>,
}

/// What the packets of an interface begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkType {
    Ethernet,
    /// The IP header: tunnels and point-to-point interfaces.
    Ip,
    /// A header that the packet program does not know, with its number in `linux/if_arp.h`.
    Other(u16),
}

impl LinkType {
    /// Returns the type for an `ARPHRD_*` number of `linux/if_arp.h`.
    fn of(number: u16) -> Self {
        match number {
            // ARPHRD_ETHER; the loopback interface, ARPHRD_LOOPBACK, has Ethernet headers too.
            1 | 772 => Self::Ethernet,
            // ARPHRD_NONE (tun, WireGuard), _RAWIP, _PPP, _TUNNEL (ipip), _TUNNEL6, _SIT, _IPGRE, _IP6GRE.
            0xfffe | 519 | 512 | 768 | 769 | 776 | 778 | 823 => Self::Ip,
            other => Self::Other(other),
        }
    }
}

impl Device {
    /// Asks the kernel for the properties of an interface.
    pub fn find(name: &str, index: u32) -> io::Result<Self> {
        let link = netlink::link(index)?;
        let mut mtu = 0;
        let mut kind = None;
        for attribute in &link.attributes {
            match attribute {
                LinkAttribute::Mtu(bytes) => mtu = *bytes,
                LinkAttribute::LinkInfo(infos) => {
                    kind = infos.iter().find_map(|info| match info {
                        LinkInfo::Kind(kind) => Some(kind.to_string()),
                        _ => None,
                    });
                }
                _ => {}
            }
        }
        let flags = link.header.flags;
        let driver = Ethtool::open()?;
        Ok(Self {
            index,
            link: LinkType::of(u16::from(link.header.link_layer_type)),
            is_virtual: kind.is_some() || flags.contains(LinkFlags::Loopback),
            driver: kind.or_else(|| driver.driver(name)).unwrap_or_default(),
            mtu,
            is_up: flags.contains(LinkFlags::Up),
            has_carrier: flags.contains(LinkFlags::LowerUp),
            receives_all_multicast: flags.intersects(LinkFlags::Allmulti | LinkFlags::Promisc),
            strips_vlan_tags: driver.strips_vlan_tags(name),
        })
    }

    /// Returns whether the driver is that of a Synopsys Ethernet controller (stmmac), such as the one of the RK1.
    #[must_use]
    pub fn is_stmmac(&self) -> bool {
        ["st_gmac", "st_xgmac", "st_mac100", "stmmac", "dwmac"].iter().any(|name| self.driver.contains(name))
    }
}

/// A socket for questions to drivers.
struct Ethtool(OwnedFd);

// Commands and flags of linux/ethtool.h.
const ETHTOOL_GDRVINFO: u32 = 3;
const ETHTOOL_GFLAGS: u32 = 0x25;
const ETH_FLAG_RXVLAN: u32 = 1 << 8;

/// `struct ethtool_drvinfo`.
#[repr(C)]
struct DriverInfo {
    command: u32,
    driver: [u8; 32],
    rest: [u8; 160],
}

/// `struct ethtool_value`.
#[repr(C)]
struct Value {
    command: u32,
    data: u32,
}

impl Ethtool {
    fn open() -> io::Result<Self> {
        Ok(Self(socket(AddressFamily::INET, SocketType::DGRAM, None)?))
    }

    fn driver(&self, interface: &str) -> Option<String> {
        let mut info = DriverInfo { command: ETHTOOL_GDRVINFO, driver: [0; 32], rest: [0; 160] };
        self.ask(interface, &mut info)?;
        let name = info.driver.split(|byte| *byte == 0).next()?;
        Some(String::from_utf8_lossy(name).into_owned()).filter(|name| !name.is_empty())
    }

    fn strips_vlan_tags(&self, interface: &str) -> Option<bool> {
        let mut flags = Value { command: ETHTOOL_GFLAGS, data: 0 };
        self.ask(interface, &mut flags)?;
        Some(flags.data & ETH_FLAG_RXVLAN != 0)
    }

    /// Fills in `question`, or returns None if the driver does not answer.
    fn ask<Question>(&self, interface: &str, question: &mut Question) -> Option<()> {
        // SAFETY: all zeros are a valid `ifreq`.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        if interface.len() >= request.ifr_name.len() {
            return None;
        }
        for (to, from) in request.ifr_name.iter_mut().zip(interface.bytes()) {
            *to = libc::c_char::from_ne_bytes([from]);
        }
        request.ifr_ifru.ifru_data = std::ptr::from_mut(question).cast();
        // SAFETY: the request names an interface, and points to a structure of the size that its command stands for.
        let outcome = unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SIOCETHTOOL, &raw mut request) };
        (outcome >= 0).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_an_ethernet_device_without_a_filter() {
        let interfaces = super::super::Interfaces::open().unwrap();
        let device = Device::find("lo", interfaces.index("lo").unwrap()).unwrap();
        assert_eq!((device.link, device.mtu, device.is_stmmac()), (LinkType::Ethernet, 65536, false));
    }

    #[test]
    fn link_types_are_those_of_linux() {
        // Ethernet, WireGuard or tun, PPP, GRE, InfiniBand.
        let types = [1, 0xfffe, 512, 778, 32].map(LinkType::of);
        assert_eq!(
            types,
            [LinkType::Ethernet, LinkType::Ip, LinkType::Ip, LinkType::Ip, LinkType::Other(32)]
        );
    }
}
