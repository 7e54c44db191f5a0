//! Two network namespaces joined by a veth pair: the node that is watched, and the network that sends.

use std::net::Ipv4Addr;
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// The watched interface, in the namespace `node`.
pub(crate) const WATCHED: &str = "end0";
pub(crate) const NODE: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 1);
pub(crate) const NETWORK: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 2);
const NODE_MAC: &str = "02:00:00:00:00:01";
const NETWORK_MAC: &str = "02:00:00:00:00:02";

/// Two namespaces. Dropping it removes them with their interfaces.
pub(crate) struct Lab {
    pub(crate) node: String,
    pub(crate) network: String,
}

impl Lab {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let id = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let lab = Self { node: format!("rk1-node-{id}"), network: format!("rk1-net-{id}") };
        for namespace in [&lab.node, &lab.network] {
            ip(&["netns", "add", namespace]);
            // No interface may send packets by itself, because tests count them.
            in_namespace(namespace, || {
                for setting in ["all", "default"] {
                    let path = format!("/proc/sys/net/ipv6/conf/{setting}/disable_ipv6");
                    let _ = std::fs::write(path, "1");
                }
            });
            ip(&["-n", namespace, "link", "set", "lo", "up"]);
        }
        lab.plug();
        lab
    }

    /// Creates the veth pair.
    pub(crate) fn plug(&self) {
        self.plug_as(None);
    }

    /// Creates the veth pair, with an index for the watched interface.
    pub(crate) fn plug_as(&self, index: Option<&str>) {
        let (node, network) = (self.node.as_str(), self.network.as_str());
        #[rustfmt::skip]
        ip(&[&["-n", node, "link", "add", WATCHED][..], &index.map_or(vec![], |index| vec!["index", index]),
             &["address", NODE_MAC, "type", "veth", "peer", "name", "far0", "address", NETWORK_MAC,
               "netns", network]].concat());
        for (namespace, interface, address) in [(node, WATCHED, NODE), (network, "far0", NETWORK)] {
            ip(&["-n", namespace, "address", "add", &format!("{address}/24"), "dev", interface]);
            ip(&["-n", namespace, "link", "set", interface, "up"]);
        }
        // Without this, the two would send ARP requests.
        #[rustfmt::skip]
        ip(&["-n", node, "neighbour", "add", &NETWORK.to_string(), "lladdr", NETWORK_MAC, "dev", WATCHED, "nud", "permanent"]);
        #[rustfmt::skip]
        ip(&["-n", network, "neighbour", "add", &NODE.to_string(), "lladdr", NODE_MAC, "dev", "far0", "nud", "permanent"]);
    }

    /// Deletes the veth pair.
    pub(crate) fn unplug(&self) {
        ip(&["-n", &self.node, "link", "delete", WATCHED]);
    }

    /// Sends frames from the network to the watched interface.
    pub(crate) fn send(&self, frames: &[Vec<u8>]) {
        in_namespace(&self.network, || {
            let socket = Raw::open("far0");
            for frame in frames {
                socket.send(frame);
            }
        });
    }

    /// Sends frames from the node through the watched interface.
    #[allow(dead_code, reason = "not for the benchmark")]
    pub(crate) fn send_from_node(&self, frames: &[Vec<u8>]) {
        in_namespace(&self.node, || {
            let socket = Raw::open(WATCHED);
            for frame in frames {
                socket.send(frame);
            }
        });
    }

    /// Returns how many packets the watched interface has received, by its own counter.
    #[allow(dead_code, reason = "for the benchmark")]
    pub(crate) fn received(&self) -> u64 {
        let arguments = ["-n", &self.node, "-json", "-statistics", "link", "show", WATCHED];
        let output = Command::new("ip").args(arguments).output().unwrap().stdout;
        let links: serde_json::Value = serde_json::from_slice(&output).unwrap();
        links[0]["stats64"]["rx"]["packets"].as_u64().unwrap()
    }

    /// Returns what `ip -details link` prints for the watched interface.
    pub(crate) fn link(&self) -> String {
        let output =
            Command::new("ip").args(["-n", &self.node, "-details", "link", "show", WATCHED]).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for namespace in [&self.node, &self.network] {
            let _ = Command::new("ip").args(["netns", "delete", namespace]).status();
        }
    }
}

pub(crate) fn ip(arguments: &[&str]) {
    let output = Command::new("ip").args(arguments).output().unwrap();
    assert!(output.status.success(), "ip {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Runs `work` on a thread of its own inside a network namespace. Its sockets stay in that namespace.
pub(crate) fn in_namespace<T: Send>(namespace: &str, work: impl FnOnce() -> T + Send) -> T {
    let file = std::fs::File::open(format!("/run/netns/{namespace}")).unwrap();
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let network = Some(rustix::thread::LinkNameSpaceType::Network);
            rustix::thread::move_into_link_name_space(file.as_fd(), network).unwrap();
            work()
        });
        thread.join().unwrap()
    })
}

/// Opens the other end of a tun interface: what is written to it is received by the interface.
#[allow(dead_code, reason = "not for the benchmark")]
pub(crate) fn open_tunnel(interface: &str) -> std::fs::File {
    let file = std::fs::OpenOptions::new().read(true).write(true).open("/dev/net/tun").unwrap();
    // SAFETY: all zeros are a valid request.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(interface.bytes()) {
        *to = libc::c_char::from_ne_bytes([from]);
    }
    request.ifr_ifru.ifru_flags = i16::try_from(libc::IFF_TUN | libc::IFF_NO_PI).unwrap();
    // SAFETY: the request is as long as the command expects.
    let outcome = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw const request) };
    assert!(outcome >= 0, "{}", std::io::Error::last_os_error());
    file
}

/// A packet socket on one interface.
struct Raw {
    socket: OwnedFd,
    address: libc::sockaddr_ll,
}

impl Raw {
    fn open(interface: &str) -> Self {
        // SAFETY: the call has no pointers, and the result is checked.
        let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW, 0) };
        assert!(socket >= 0, "{}", std::io::Error::last_os_error());
        // SAFETY: the descriptor is new, and nothing else owns it.
        let socket = unsafe { OwnedFd::from_raw_fd(socket) };
        let index = rustix::net::netdevice::name_to_index(
            rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::DGRAM, None)
                .unwrap(),
            interface,
        );
        // SAFETY: all zeros is a value of this structure.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = u16::try_from(libc::AF_PACKET).unwrap();
        address.sll_ifindex = i32::try_from(index.unwrap()).unwrap();
        Self { socket, address }
    }

    fn send(&self, frame: &[u8]) {
        let length = u32::try_from(size_of::<libc::sockaddr_ll>()).unwrap();
        // SAFETY: both pointers are valid for the lengths given, for the length of the call.
        let sent = unsafe {
            libc::sendto(
                self.socket.as_raw_fd(),
                frame.as_ptr().cast(),
                frame.len(),
                0,
                (&raw const self.address).cast(),
                length,
            )
        };
        assert_eq!(usize::try_from(sent), Ok(frame.len()), "{}", std::io::Error::last_os_error());
    }
}
