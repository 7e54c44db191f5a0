//! The settings of pcapng files.

use std::path::PathBuf;
use std::time::Duration;

/// The most bytes of a packet, as the kernel copies them.
pub(super) const LONGEST_PACKET: u32 = 65_535;

/// Which packets are written to which files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    pub path: PathBuf,
    /// The most bytes of a packet.
    pub snaplen: u32,
    pub rotation: Option<Rotation>,
    /// How many files are kept; None keeps all.
    pub keep: Option<usize>,
}

/// When a new file begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// After so many bytes.
    Size(u64),
    Time(Duration),
}
