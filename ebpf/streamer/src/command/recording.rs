//! The settings of pcapng files.

use super::arguments::RunArguments;
use std::path::PathBuf;
use std::time::Duration;

/// The most bytes of a packet, as the kernel copies them.
const LONGEST_PACKET: u32 = 65_535;

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

impl Recording {
    pub(super) fn choose(wanted: &RunArguments) -> Option<Self> {
        Some(Self {
            path: wanted.write.clone()?,
            snaplen: wanted.snaplen.unwrap_or(LONGEST_PACKET),
            rotation: wanted.rotate,
            keep: wanted.keep,
        })
    }
}
