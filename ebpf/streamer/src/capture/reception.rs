//! What the device lets through, for as long as this process lives.

use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

/// The frames that the user asks the device to let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reception {
    /// Frames for every multicast group, also for those that nobody on this host has joined.
    pub all_multicast: bool,
    /// Frames for every address.
    pub promiscuous: bool,
}

impl Reception {
    /// Asks for these frames until the result is dropped, or the process ends in whatever way: a packet socket has such
    /// memberships, and the kernel counts them for each interface (packet(7), `PACKET_ADD_MEMBERSHIP`).
    pub(super) fn start(self, index: u32) -> io::Result<Option<OwnedFd>> {
        if self == Self::default() {
            return Ok(None);
        }
        // Protocol 0: the socket itself receives nothing.
        // SAFETY: no pointers; the answer is checked.
        let number = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        if number < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just created this descriptor, and it has no other owner.
        let socket = unsafe { OwnedFd::from_raw_fd(number) };
        let memberships =
            [(self.all_multicast, libc::PACKET_MR_ALLMULTI), (self.promiscuous, libc::PACKET_MR_PROMISC)];
        for (_, kind) in memberships.into_iter().filter(|(wanted, _)| *wanted) {
            let request = libc::packet_mreq {
                mr_ifindex: i32::try_from(index).map_err(io::Error::other)?,
                mr_type: u16::try_from(kind).map_err(io::Error::other)?,
                mr_alen: 0,
                mr_address: [0; 8],
            };
            let length = u32::try_from(size_of_val(&request)).map_err(io::Error::other)?;
            // SAFETY: the length is that of the request.
            let outcome = unsafe {
                libc::setsockopt(
                    socket.as_raw_fd(),
                    libc::SOL_PACKET,
                    libc::PACKET_ADD_MEMBERSHIP,
                    (&raw const request).cast(),
                    length,
                )
            };
            if outcome < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(Some(socket))
    }
}
