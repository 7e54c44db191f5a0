//! System calls of `bpf(2)` that aya does not offer: creating links without its fallback, asking links what they are
//! attached to, and putting a perf event into a map.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

// `enum bpf_cmd` of linux/bpf.h.
const BPF_MAP_UPDATE_ELEM: libc::c_long = 2;
const BPF_OBJ_GET_INFO_BY_FD: libc::c_long = 15;
const BPF_LINK_CREATE: libc::c_long = 28;
const BPF_LINK_GET_FD_BY_ID: libc::c_long = 30;
const BPF_LINK_GET_NEXT_ID: libc::c_long = 31;

// `enum bpf_attach_type` of linux/bpf.h.
const BPF_XDP: u32 = 37;
const BPF_TCX_INGRESS: u32 = 46;
const BPF_TCX_EGRESS: u32 = 47;

// `enum bpf_link_type` of linux/bpf.h.
const BPF_LINK_TYPE_XDP: u32 = 6;
const BPF_LINK_TYPE_TCX: u32 = 11;

// `XDP_FLAGS_*` of linux/if_link.h, and `BPF_F_BEFORE` of linux/bpf.h.
const XDP_FLAGS_SKB_MODE: u32 = 1 << 1;
const XDP_FLAGS_DRV_MODE: u32 = 1 << 2;
const BPF_F_BEFORE: u32 = 1 << 3;

/// A hook of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AttachPoint {
    XdpDriver,
    XdpGeneric,
    /// Before every other TCX program on receipt.
    TcxIngress,
    /// Before every other TCX program on sending.
    TcxEgress,
}

/// The part of `union bpf_attr` that `BPF_LINK_CREATE` reads, with zeros for the fields of later kernels.
#[repr(C)]
struct LinkCreate {
    program: u32,
    interface: u32,
    attach_type: u32,
    flags: u32,
    rest: [u64; 8],
}

/// The part of `union bpf_attr` for `BPF_LINK_GET_NEXT_ID` and `BPF_LINK_GET_FD_BY_ID`.
#[repr(C)]
#[derive(Default)]
struct LinkId {
    id: u32,
    next: u32,
    flags: u32,
}

/// The part of `union bpf_attr` that `BPF_OBJ_GET_INFO_BY_FD` reads.
#[repr(C)]
struct GetInfo {
    descriptor: u32,
    length: u32,
    info: u64,
}

/// The part of `union bpf_attr` that `BPF_MAP_UPDATE_ELEM` reads.
#[repr(C)]
struct UpdateElement {
    map: u32,
    padding: u32,
    key: u64,
    value: u64,
    flags: u64,
}

/// The beginning of `struct bpf_link_info`, which is the same for XDP and TCX.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct LinkInfo {
    kind: u32,
    pub(super) id: u32,
    pub(super) program: u32,
    padding: u32,
    interface: u32,
    attach_type: u32,
    rest: [u64; 8],
}

impl LinkInfo {
    /// Returns the index of the interface of an XDP or TCX link, or None if the link is detached or another kind of link.
    pub(super) fn interface(&self) -> Option<u32> {
        let has_interface = matches!(self.kind, BPF_LINK_TYPE_XDP | BPF_LINK_TYPE_TCX);
        (has_interface && self.interface != 0).then_some(self.interface)
    }

    pub(super) fn is_xdp(&self) -> bool {
        self.kind == BPF_LINK_TYPE_XDP
    }
}

/// Attaches `program` to the interface. Closing the descriptor detaches it.
///
/// On `EINVAL` aya would attach the program by netlink instead, and it would stay on the interface when this process dies.
pub(super) fn create_link(
    program: BorrowedFd<'_>,
    interface: u32,
    point: AttachPoint,
) -> io::Result<OwnedFd> {
    let (attach_type, flags) = match point {
        AttachPoint::XdpDriver => (BPF_XDP, XDP_FLAGS_DRV_MODE),
        AttachPoint::XdpGeneric => (BPF_XDP, XDP_FLAGS_SKB_MODE),
        AttachPoint::TcxIngress => (BPF_TCX_INGRESS, BPF_F_BEFORE),
        AttachPoint::TcxEgress => (BPF_TCX_EGRESS, BPF_F_BEFORE),
    };
    let mut attributes = LinkCreate {
        program: u32::try_from(program.as_raw_fd()).map_err(io::Error::other)?,
        interface,
        attach_type,
        flags,
        rest: [0; 8],
    };
    descriptor(call(BPF_LINK_CREATE, &mut attributes)?)
}

/// Asks the kernel what a link is attached to. This needs no capability.
pub(super) fn link_info(link: BorrowedFd<'_>) -> io::Result<LinkInfo> {
    let mut info = LinkInfo::default();
    let mut attributes = GetInfo {
        descriptor: u32::try_from(link.as_raw_fd()).map_err(io::Error::other)?,
        length: u32::try_from(size_of::<LinkInfo>()).map_err(io::Error::other)?,
        info: (&raw mut info).expose_provenance() as u64,
    };
    call(BPF_OBJ_GET_INFO_BY_FD, &mut attributes)?;
    Ok(info)
}

/// Makes the program write the events of `cpu` into `event`. The map holds the event as long as it is in it.
pub(super) fn set_event(map: BorrowedFd<'_>, cpu: u32, event: BorrowedFd<'_>) -> io::Result<()> {
    let descriptor = event.as_raw_fd();
    let mut attributes = UpdateElement {
        map: u32::try_from(map.as_raw_fd()).map_err(io::Error::other)?,
        padding: 0,
        key: (&raw const cpu).expose_provenance() as u64,
        value: (&raw const descriptor).expose_provenance() as u64,
        flags: 0,
    };
    call(BPF_MAP_UPDATE_ELEM, &mut attributes).map(drop)
}

/// Lists all links of the system, which needs `CAP_SYS_ADMIN`.
pub(super) fn links() -> io::Result<Vec<LinkInfo>> {
    let mut links = Vec::new();
    let mut last = 0;
    loop {
        let mut next = LinkId { id: last, ..LinkId::default() };
        match call(BPF_LINK_GET_NEXT_ID, &mut next) {
            Ok(_) => last = next.next,
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => return Ok(links),
            Err(error) => return Err(error),
        }
        match call(BPF_LINK_GET_FD_BY_ID, &mut LinkId { id: last, ..LinkId::default() }) {
            Ok(number) => {
                use std::os::fd::AsFd as _;
                links.push(link_info(descriptor(number)?.as_fd())?);
            }
            // The link has ended in between.
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {}
            Err(error) => return Err(error),
        }
    }
}

fn call<Attributes>(command: libc::c_long, attributes: &mut Attributes) -> io::Result<libc::c_long> {
    // SAFETY: the kernel reads and writes at most as many bytes of the attributes as their size, and the memory that
    // pointers in them point to is valid during the call. All attributes of this file consist of integers.
    let answer = unsafe {
        libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attributes), size_of::<Attributes>())
    };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

fn descriptor(number: libc::c_long) -> io::Result<OwnedFd> {
    let number = i32::try_from(number).map_err(io::Error::other)?;
    // SAFETY: the kernel has just created this descriptor for this process, and it has no other owner.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}
