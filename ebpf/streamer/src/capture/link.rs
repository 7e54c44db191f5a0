//! `BPF_LINK_CREATE`, without the fallback that aya takes on `EINVAL`: a program attached by netlink would stay on
//! the interface when this process dies.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

/// `enum bpf_cmd` and `enum bpf_attach_type` of linux/bpf.h.
const BPF_LINK_CREATE: libc::c_long = 28;
const BPF_XDP: u32 = 37;
const BPF_TCX_INGRESS: u32 = 46;

/// `XDP_FLAGS_*` of `linux/if_link.h`, `BPF_F_BEFORE` of linux/bpf.h.
const XDP_FLAGS_SKB_MODE: u32 = 1 << 1;
const XDP_FLAGS_DRV_MODE: u32 = 1 << 2;
const BPF_F_BEFORE: u32 = 1 << 3;

/// Where a program is attached.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    XdpDriver,
    XdpGeneric,
    /// In front of every other TCX program.
    TcxIngress,
}

/// The part of `union bpf_attr` that `BPF_LINK_CREATE` reads, with room for what later kernels look at.
#[repr(C)]
struct LinkCreate {
    program: u32,
    interface: u32,
    attach_type: u32,
    flags: u32,
    rest: [u64; 8],
}

/// Attaches `program` to the interface. Closing the descriptor detaches it.
pub(super) fn create(program: BorrowedFd<'_>, interface: u32, place: Place) -> io::Result<OwnedFd> {
    let (attach_type, flags) = match place {
        Place::XdpDriver => (BPF_XDP, XDP_FLAGS_DRV_MODE),
        Place::XdpGeneric => (BPF_XDP, XDP_FLAGS_SKB_MODE),
        Place::TcxIngress => (BPF_TCX_INGRESS, BPF_F_BEFORE),
    };
    let attributes = LinkCreate {
        program: u32::try_from(program.as_raw_fd()).map_err(io::Error::other)?,
        interface,
        attach_type,
        flags,
        rest: [0; 8],
    };
    // SAFETY: the kernel reads `size` bytes of the structure, which outlives the call and has no padding.
    let answer = unsafe {
        libc::syscall(libc::SYS_bpf, BPF_LINK_CREATE, &raw const attributes, size_of::<LinkCreate>())
    };
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    let descriptor = i32::try_from(answer).map_err(io::Error::other)?;
    // SAFETY: the kernel has just made this descriptor for us; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}
