//! A veth pair in a network namespace that ends with its thread, and a sender of whole frames.
#![allow(dead_code, reason = "tests and benchmarks need different parts")]

use std::mem::size_of;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use std::{ffi, io, ptr};

use anyhow::{Context, Result, ensure};

pub(crate) const SENDER: &str = "sender";
pub(crate) const WATCHED: &str = "watched";

/// The time between two bursts of [`Wire::send_steadily`].
const TURN: Duration = Duration::from_millis(1);

fn result_of(code: ffi::c_int) -> io::Result<ffi::c_int> {
    if code < 0 { Err(io::Error::last_os_error()) } else { Ok(code) }
}

/// Creates a veth pair without addresses, so that the kernel sends no packets by itself.
pub(crate) fn create_pair() -> Result<()> {
    // SAFETY: no pointers. The namespace belongs to this thread and ends with it.
    result_of(unsafe { libc::unshare(libc::CLONE_NEWNET) })?;
    for arguments in [
        format!("link add {SENDER} type veth peer name {WATCHED}"),
        format!("link set {SENDER} addrgenmode none up"),
        format!("link set {WATCHED} addrgenmode none up"),
    ] {
        let output = Command::new("ip").args(arguments.split(' ')).output().context("no `ip`")?;
        ensure!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// A packet socket that sends whole frames through one interface.
pub(crate) struct Wire(OwnedFd);

impl Wire {
    pub(crate) fn open(interface: &str) -> Result<Self> {
        let name = ffi::CString::new(interface)?;
        // SAFETY: a string that ends with a zero byte.
        let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
        ensure!(index != 0, "no interface `{interface}`");
        // SAFETY: no pointers; the new descriptor has no other owner.
        let socket =
            unsafe { OwnedFd::from_raw_fd(result_of(libc::socket(libc::AF_PACKET, libc::SOCK_RAW, 0))?) };
        // SAFETY: all zeros are a valid address.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = u16::try_from(libc::AF_PACKET)?;
        address.sll_ifindex = i32::try_from(index)?;
        let length = u32::try_from(size_of::<libc::sockaddr_ll>())?;
        // SAFETY: the length is that of the address.
        result_of(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) })?;
        Ok(Self(socket))
    }

    pub(crate) fn send(&self, frame: &[u8]) -> Result<()> {
        // SAFETY: the length is that of the frame.
        let sent = unsafe { libc::send(self.0.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
        ensure!(usize::try_from(sent).ok() == Some(frame.len()), "{}", io::Error::last_os_error());
        Ok(())
    }

    /// Sends the frame `per_second` times a second for `time`, a burst each millisecond, and returns how often it was sent.
    /// After a delay of the machine, it sends no more than ten bursts at once.
    pub(crate) fn send_steadily(&self, frame: &[u8], per_second: u64, time: Duration) -> Result<u64> {
        let most = usize::try_from(per_second / 100)?;
        let mut part = libc::iovec { iov_base: frame.as_ptr().cast_mut().cast(), iov_len: frame.len() };
        // SAFETY: all zeros are a valid header.
        let mut message: libc::mmsghdr = unsafe { std::mem::zeroed() };
        message.msg_hdr.msg_iov = ptr::from_mut(&mut part);
        message.msg_hdr.msg_iovlen = 1;
        let mut messages = vec![message; most];
        let start = Instant::now();
        let mut sent = 0;
        while start.elapsed() < time {
            let due = u64::try_from(start.elapsed().as_micros())? * per_second / 1_000_000;
            let mut left = usize::try_from(due.saturating_sub(sent))?.min(most);
            while left > 0 {
                let count = u32::try_from(left)?;
                // SAFETY: `left` is at most the number of messages, whose headers point to `part` and the frame. The
                // kernel only reads what they point to.
                let outcome = unsafe { libc::sendmmsg(self.0.as_raw_fd(), messages.as_mut_ptr(), count, 0) };
                let done = u32::try_from(result_of(outcome)?)?;
                left -= usize::try_from(done)?;
                sent += u64::from(done);
            }
            thread::sleep(TURN);
        }
        Ok(sent)
    }
}
