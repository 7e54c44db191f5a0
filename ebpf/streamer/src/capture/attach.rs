//! Putting the program on an interface, and saying why it cannot be.

use super::Occupants;
use super::link::{self, Place};
use std::fmt;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

/// Which of the kernel's hooks to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hook {
    Xdp(XdpMode),
    /// After XDP and beside other TCX programs; Linux 6.6.
    Tcx,
}

/// Which XDP modes may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum XdpMode {
    /// The driver's, and the kernel's generic one where the driver has none.
    #[default]
    Auto,
    Driver,
    Generic,
}

impl Hook {
    /// The mode to try first, and the one to try where the driver does not take the program.
    pub(super) const fn modes(self) -> (Mode, Option<Mode>) {
        match self {
            Self::Xdp(XdpMode::Auto) => (Mode::Driver, Some(Mode::Generic)),
            Self::Xdp(XdpMode::Driver) => (Mode::Driver, None),
            Self::Xdp(XdpMode::Generic) => (Mode::Generic, None),
            Self::Tcx => (Mode::Tcx, None),
        }
    }
}

/// How the program was attached.
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
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    #[error(
        "the XDP hook of `{interface}` is taken: {occupants} (wanted: {wanted} mode)\n\
         hint: watch beside it, after XDP:            --hook tcx\n\
         hint: keep it and watch another interface:   --interface OTHER\n\
         hint: take the hook from it:                 {}",
        occupants.eviction(interface)
    )]
    Occupied { interface: String, wanted: Mode, occupants: Occupants },
    #[error("`{interface}` is gone")]
    Gone { interface: String },
    #[error(
        "no permission to attach to `{interface}`\nhint: CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are needed"
    )]
    Permission { interface: String },
    #[error("the kernel has no TCX\nhint: it is there since Linux 6.6; use --hook xdp")]
    NoTcx,
    #[error("`{interface}` does not take an XDP program in {wanted} mode: {source}{}", hint(*wanted, source))]
    Refused { interface: String, wanted: Mode, source: io::Error },
}

fn hint(wanted: Mode, source: &io::Error) -> &'static str {
    match (wanted, source.raw_os_error()) {
        (Mode::Driver, _) => "\nhint: use --xdp-mode generic",
        (Mode::Generic, Some(libc::EINVAL)) => "\nhint: bpf_link for XDP is there since Linux 5.9",
        _ => "",
    }
}

/// Attaches a mode's program; dropping the descriptor detaches it.
pub(super) fn attach(
    program: BorrowedFd<'_>,
    interface: &str,
    index: u32,
    mode: Mode,
) -> Result<OwnedFd, AttachError> {
    let place = match mode {
        Mode::Driver => Place::XdpDriver,
        Mode::Generic => Place::XdpGeneric,
        Mode::Tcx => Place::TcxIngress,
    };
    link::create(program, index, place).map_err(|error| explain(interface, index, mode, error))
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
