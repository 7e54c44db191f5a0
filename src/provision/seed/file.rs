//! The operator's file of one secret: whether it is fit, and its bytes.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde::Serialize;
use zeroize::Zeroizing;

/// The most that a secret may have, in bytes. Tokens and keys are far smaller.
pub(super) const SIZE_LIMIT: u64 = 64 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Present,
    /// It comes to the nodes another way.
    Elsewhere,
    Missing,
    Empty,
    NotAFile,
    TooLarge,
    /// Others than its owner can read it.
    Exposed,
}

impl State {
    /// What the file is, without reading it.
    pub fn of(file: &Path) -> io::Result<Self> {
        match fs::metadata(file) {
            Ok(metadata) => Ok(Self::told_by(&metadata)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::Missing),
            Err(error) => Err(error),
        }
    }

    fn told_by(metadata: &Metadata) -> Self {
        match metadata {
            metadata if !metadata.is_file() => Self::NotAFile,
            metadata if metadata.len() == 0 => Self::Empty,
            metadata if metadata.len() > SIZE_LIMIT => Self::TooLarge,
            metadata if metadata.permissions().mode() & 0o077 != 0 => Self::Exposed,
            _ => Self::Present,
        }
    }

    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Elsewhere => "elsewhere",
            Self::Missing => "MISSING",
            Self::Empty => "EMPTY",
            Self::NotAFile => "NOT A FILE",
            Self::TooLarge => "TOO LARGE",
            Self::Exposed => "EXPOSED",
        }
    }

    #[must_use]
    pub fn hint(self, file: &Path) -> Option<String> {
        let file = file.display();
        match self {
            Self::Present | Self::Elsewhere => None,
            Self::Missing | Self::Empty => Some(format!("put the secret into `{file}`")),
            Self::NotAFile => Some(format!("make `{file}` a file that holds the secret")),
            Self::TooLarge => {
                Some(format!("a secret has at most {SIZE_LIMIT} bytes: is `{file}` the right file?"))
            }
            Self::Exposed => Some(format!("keep it to yourself: `chmod 600 {file}`")),
        }
    }
}

/// The bytes of a file that is fit, or what it is instead.
pub(super) fn read(path: &Path) -> io::Result<Result<Zeroizing<Vec<u8>>, State>> {
    // A pipe or a device would be waited for.
    match State::of(path)? {
        State::Present => {}
        state => return Ok(Err(state)),
    }
    let file = File::open(path)?;
    // All of it at once: a vector that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(SIZE_LIMIT).unwrap_or_default() + 1));
    file.take(SIZE_LIMIT + 1).read_to_end(&mut bytes)?;
    Ok(match bytes.len() as u64 {
        0 => Err(State::Empty),
        length if length > SIZE_LIMIT => Err(State::TooLarge),
        _ => Ok(bytes),
    })
}
