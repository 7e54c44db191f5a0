//! Writes the files of new secrets.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Whether anything is at a path, a dangling symlink included.
pub(super) fn is_taken(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Writes a secret to a new file that only its owner can read. A missing folder is made for its owner too.
///
/// The bytes go to a temporary file that is then given its name, so that no part of a secret ever has it. What exists is not
/// overwritten: `false` means that the file was there.
pub(super) fn create(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    let folder = folder_of(path);
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // `tempfile` makes files with mode 0600.
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    match temporary.persist_noclobber(path) {
        Ok(_) => sync(folder).map(|()| true),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.error),
    }
}

/// Replaces the file of a secret, and keeps the old one under another name. Returns when both are on the disk.
pub(super) fn replace(path: &Path, previous: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = folder_of(path);
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    let old = fs::read(path).map(zeroize::Zeroizing::new)?;
    let mut kept = File::options().write(true).create_new(true).mode(0o600).open(previous)?;
    kept.write_all(&old)?;
    kept.sync_all()?;
    temporary.persist(path).map(drop).map_err(|error| error.error)?;
    sync(folder)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
