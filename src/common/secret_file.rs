//! The operator's file of one secret: whether it is fit for use, and its bytes.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

/// The largest secret, in bytes. Tokens and keys are far smaller.
pub(crate) const SIZE_LIMIT: u64 = 64 * 1024;

/// Whether a secret is there, and what is wrong with its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretState {
    Present,
    /// The secret has no file: it gets to the nodes another way.
    Elsewhere,
    /// A program prints the secret. It was not run.
    Program,
    Missing,
    Empty,
    NotAFile,
    /// A symlink. It is not followed, because whoever can change it chooses which file is read.
    Link,
    TooLarge,
    /// Users other than its owner may read it.
    Exposed,
    /// The file cannot be opened or read, for this reason.
    Unreadable(String),
}

impl SecretState {
    /// Returns the state of a file. The file is opened, but not read.
    pub(crate) fn of(path: &Path) -> Self {
        match open(path) {
            Ok(_) => Self::Present,
            Err(state) => state,
        }
    }

    /// The state as one word or two, for JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Elsewhere => "elsewhere",
            Self::Program => "program",
            Self::Missing => "missing",
            Self::Empty => "empty",
            Self::NotAFile => "not-a-file",
            Self::Link => "link",
            Self::TooLarge => "too-large",
            Self::Exposed => "exposed",
            Self::Unreadable(_) => "unreadable",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self, path: &Path) -> Option<String> {
        let path = path.display();
        match self {
            Self::Present | Self::Elsewhere | Self::Program => None,
            Self::Missing | Self::Empty => Some(format!("write the secret to `{path}`")),
            Self::NotAFile => Some(format!("replace `{path}` with a file that holds the secret")),
            Self::Link => Some(format!(
                "write the path of the file itself to `[secrets]`, or replace `{path}` with the file"
            )),
            Self::TooLarge => Some(format!(
                "check that `{path}` is the right file: a secret has at most {SIZE_LIMIT} bytes"
            )),
            Self::Exposed => Some(format!("make it readable for you alone: `chmod 600 {path}`")),
            Self::Unreadable(_) => Some(format!("check the path and the permissions of `{path}`")),
        }
    }
}

/// Completes the sentence "the secret …".
impl fmt::Display for SecretState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Present => formatter.write_str("is present"),
            Self::Elsewhere => formatter.write_str("has no file"),
            Self::Program => formatter.write_str("is printed by a program"),
            Self::Missing => formatter.write_str("is missing"),
            Self::Empty => formatter.write_str("is empty"),
            Self::NotAFile => formatter.write_str("is not a file"),
            Self::Link => formatter.write_str("is a symlink"),
            Self::TooLarge => formatter.write_str("is too large"),
            Self::Exposed => formatter.write_str("is readable for other users"),
            Self::Unreadable(reason) => write!(formatter, "cannot be read: {reason}"),
        }
    }
}

impl Serialize for SecretState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Reads a secret. The file is opened once, and everything is checked on what was opened.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretState> {
    let file = open(path)?;
    // All at once: a vector that grows would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(SIZE_LIMIT).unwrap_or_default() + 1));
    file.take(SIZE_LIMIT + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    match bytes.len() as u64 {
        0 => Err(SecretState::Empty),
        length if length > SIZE_LIMIT => Err(SecretState::TooLarge),
        _ => Ok(bytes),
    }
}

/// Opens a file that is fit to be a secret. It neither follows a symlink nor waits for a pipe.
fn open(path: &Path) -> Result<File, SecretState> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file = File::options().read(true).custom_flags(flags).open(path).map_err(|error| {
        let metadata = fs::symlink_metadata(path);
        match (&metadata, error.kind()) {
            (Ok(metadata), _) if metadata.is_symlink() => SecretState::Link,
            // A socket cannot be opened.
            (Ok(metadata), _) if !metadata.is_file() => SecretState::NotAFile,
            (_, io::ErrorKind::NotFound) => SecretState::Missing,
            _ => unreadable(&error),
        }
    })?;
    let metadata = file.metadata().map_err(|error| unreadable(&error))?;
    if !metadata.is_file() {
        Err(SecretState::NotAFile)
    } else if metadata.len() == 0 {
        Err(SecretState::Empty)
    } else if metadata.len() > SIZE_LIMIT {
        Err(SecretState::TooLarge)
    } else if metadata.permissions().mode() & 0o077 != 0 {
        Err(SecretState::Exposed)
    } else {
        Ok(file)
    }
}

fn unreadable(error: &io::Error) -> SecretState {
    SecretState::Unreadable(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::*;

    #[test]
    fn a_file_is_checked_and_read_in_one_go() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = |name: &str| folder.path().join(name);
        let put = |name: &str, bytes: &[u8], mode: u32| {
            fs::write(path(name), bytes).expect("a file");
            fs::set_permissions(path(name), fs::Permissions::from_mode(mode)).expect("mode");
        };
        put("secret", b"secret\n", 0o600);
        put("empty", b"", 0o600);
        put("exposed", b"secret", 0o640);
        put("large", &vec![b'x'; usize::try_from(SIZE_LIMIT).expect("a size") + 1], 0o600);
        fs::create_dir(path("folder")).expect("a folder");
        symlink("secret", path("link")).expect("a link");
        symlink("loop", path("loop")).expect("a link");
        assert!(Command::new("mkfifo").arg(path("pipe")).status().expect("mkfifo").success());
        assert_eq!(read(&path("secret")).as_deref().map(Vec::as_slice), Ok(b"secret\n".as_slice()));
        for (name, expected) in [
            ("empty", SecretState::Empty),
            ("exposed", SecretState::Exposed),
            ("large", SecretState::TooLarge),
            ("folder", SecretState::NotAFile),
            ("link", SecretState::Link),
            ("loop", SecretState::Link),
            ("pipe", SecretState::NotAFile),
            ("missing", SecretState::Missing),
            ("secret/below", SecretState::Unreadable("Not a directory (os error 20)".to_owned())),
            (
                "loop/below",
                SecretState::Unreadable("Too many levels of symbolic links (os error 40)".to_owned()),
            ),
        ] {
            assert_eq!(read(&path(name)).map(drop), Err(expected.clone()), "{name}");
            assert_eq!(SecretState::of(&path(name)), expected, "{name}");
        }
    }
}
