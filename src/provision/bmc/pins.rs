//! The certificates of the BMCs, kept beside `cluster.toml`: each is believed the first time, and no other after it.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::atomic_file;
use crate::certificate::Fingerprint;

pub const FILE_NAME: &str = "bmc.pins";

const HEADER: &str = "\
# Certificates of the boards' controllers: address, and SHA-256 as `openssl x509 -noout -fingerprint -sha256` prints it.
# `rk1 flash` writes a line when it first meets a board, and talks to no other certificate afterwards.
";

/// The pinned certificate of each BMC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BmcPins(BTreeMap<IpAddr, Fingerprint>);

#[derive(Debug, Error)]
pub enum BmcPinsError {
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("line {line} of `{}` is not an address and a SHA-256 fingerprint: mend it or take it out", path.display())]
    Line { path: PathBuf, line: usize },
}

impl BmcPins {
    /// Those of the folder; none where there is no file.
    pub fn read(folder: &Path) -> Result<Self, BmcPinsError> {
        let path = folder.join(FILE_NAME);
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text).map_err(|line| BmcPinsError::Line { path, line }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(BmcPinsError::Read { path, source }),
        }
    }

    /// The error is the number of the line that cannot be read.
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

    #[must_use]
    pub fn of(&self, address: IpAddr) -> Option<Fingerprint> {
        self.0.get(&address).copied()
    }

    /// Adds a certificate, in the file as well.
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
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let (one, two) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let mut pins = BmcPins::read(folder.path()).expect("no file is no pins");
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
    fn a_line_that_cannot_be_read_is_named() {
        let pin = Fingerprint::of(b"");
        assert!(BmcPins::parse(&format!("# c\n\n10.0.0.1 {pin} # mine\n")).is_ok());
        assert_eq!(BmcPins::parse(&format!("# c\n10.0.0.1 {pin}\n10.0.0.2 AA:BB\n")), Err(3));
        assert_eq!(BmcPins::parse("10.0.0.1"), Err(1));
    }
}
