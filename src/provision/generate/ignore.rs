//! Has Git ignore the folders of secrets, before there is a secret in one.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Component, Path};

const FILE_NAME: &str = ".gitignore";
/// The largest file that is read, in bytes.
const SIZE_LIMIT: u64 = 1 << 20;

/// Adds the folder of a secret to the `.gitignore` beside `cluster.toml`, unless a line says so. `file` is relative to
/// `folder`. Returns the line that was added.
///
/// A file outside of the folder is not the business of its `.gitignore`, and one beside `cluster.toml` is named itself.
pub(super) fn add(folder: &Path, file: &Path) -> io::Result<Option<String>> {
    let mut parts = Vec::new();
    for part in file.components() {
        match part {
            Component::Normal(name) => parts.push(name.to_string_lossy()),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return Ok(None),
        }
    }
    let line = match parts.as_slice() {
        [] => return Ok(None),
        [file] => format!("/{file}"),
        [first, ..] => format!("/{first}/"),
    };
    let path = folder.join(FILE_NAME);
    let mut text = String::new();
    match File::open(&path) {
        Ok(file) => drop(file.take(SIZE_LIMIT).read_to_string(&mut text)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let bare = |line: &str| line.trim().trim_matches('/').to_owned();
    if text.lines().any(|known| bare(known) == bare(&line)) {
        return Ok(None);
    }
    let mut file = fs::OpenOptions::new().append(true).create(true).open(&path)?;
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    file.write_all(format!("{gap}{line}\n").as_bytes())?;
    Ok(Some(line))
}
