//! The pinned certificates of the BMCs, in a file beside `cluster.toml`. The first certificate that a BMC shows is
//! trusted, and every other one is refused afterwards.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::common::atomic_file;
use crate::common::certificate::Fingerprint;

/// The name of the file.
pub const FILE_NAME: &str = "bmc.pins";

/// The largest file that is read, in bytes. A board takes less than 150.
const SIZE_LIMIT: u64 = 1 << 20;

const HEADER: &str = "\
# The certificates of the BMCs: address, and SHA-256 as `openssl x509 -noout -fingerprint -sha256` prints it.
# `rk1 flash` adds a line when it first connects to a BMC, and refuses any other certificate afterwards.
";

/// The pinned certificate of each BMC, by its address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BmcPins(BTreeMap<IpAddr, Fingerprint>);

#[derive(Debug, Error)]
pub enum BmcPinsError {
    #[error("cannot read `{}`: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write `{}`: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("line {line} of `{}` is not an address and a SHA-256 fingerprint", path.display())]
    Line { path: PathBuf, line: usize },
    #[error("`{}` is larger than {SIZE_LIMIT} bytes", path.display())]
    TooLarge { path: PathBuf },
}

impl BmcPinsError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Read { .. } | Self::Write { .. } => None,
            Self::Line { .. } => Some("correct the line or remove it"),
            Self::TooLarge { .. } => Some("move the file away: it has one short line for each board"),
        }
    }
}

impl BmcPins {
    /// Reads the file in a folder. A missing file means that no certificate is pinned.
    pub fn read(folder: &Path) -> Result<Self, BmcPinsError> {
        let path = folder.join(FILE_NAME);
        let mut text = String::new();
        match File::open(&path).and_then(|file| file.take(SIZE_LIMIT + 1).read_to_string(&mut text)) {
            Ok(length) if length as u64 > SIZE_LIMIT => Err(BmcPinsError::TooLarge { path }),
            Ok(_) => Self::parse(&text).map_err(|line| BmcPinsError::Line { path, line }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(BmcPinsError::Read { path, source }),
        }
    }

    /// Parses the text of the file. The error is the number of the line that is malformed.
    fn parse(text: &str) -> Result<Self, usize> {
        let mut pins = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default();
            let words: Vec<_> = line.split_whitespace().collect();
            let parsed = match words.as_slice() {
                [] => continue,
                [address, fingerprint] => address.parse().ok().zip(fingerprint.parse().ok()),
                _ => None,
            };
            let (address, fingerprint) = parsed.ok_or(index + 1)?;
            pins.insert(address, fingerprint);
        }
        Ok(Self(pins))
    }

    /// Returns the certificate that is pinned for an address.
    #[must_use]
    pub fn of(&self, address: IpAddr) -> Option<Fingerprint> {
        self.0.get(&address).copied()
    }

    /// Pins a certificate, also in the file.
    pub fn pin(
        &mut self,
        folder: &Path,
        address: IpAddr,
        fingerprint: Fingerprint,
    ) -> Result<(), BmcPinsError> {
        self.0.insert(address, fingerprint);
        let path = folder.join(FILE_NAME);
        atomic_file::replace(&path, &self.to_text()).map_err(|source| BmcPinsError::Write { path, source })
    }

    fn to_text(&self) -> String {
        let lines = self.0.iter().map(|(address, fingerprint)| format!("{address} {fingerprint}\n"));
        HEADER.to_owned() + &lines.collect::<String>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_pins_are_read_back() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let (one, two) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let mut pins = BmcPins::read(folder.path()).expect("a missing file has no pins");
        assert_eq!(pins, BmcPins::default());
        pins.pin(folder.path(), one, Fingerprint::of(b"one")).expect("written");
        pins.pin(folder.path(), two, Fingerprint::of(b"two")).expect("written");
        let read = BmcPins::read(folder.path()).expect("read");
        assert_eq!(
            (read.of(one), read.of(two)),
            (Some(Fingerprint::of(b"one")), Some(Fingerprint::of(b"two")))
        );
    }

    #[test]
    fn a_malformed_line_is_named() {
        let pin = Fingerprint::of(b"");
        assert!(BmcPins::parse(&format!("# c\n\n10.0.0.1 {pin} # mine\n")).is_ok());
        assert_eq!(BmcPins::parse(&format!("# c\n10.0.0.1 {pin}\n10.0.0.2 AA:BB\n")), Err(3));
        assert_eq!(BmcPins::parse("10.0.0.1"), Err(1));
    }
}
