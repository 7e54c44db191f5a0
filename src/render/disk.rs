//! Documents and the disk: what differs, and bringing the disk up to date.
//!
//! Each folder keeps a list of what was rendered into it (`.rendered`). Only what is on that list is ever overwritten
//! or removed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use similar::TextDiff;
use thiserror::Error;

use crate::atomic_file;
use crate::render::document::Document;

const LIST: &str = ".rendered";
const LIST_HEADER: &str =
    "# The files that `rk1 render` wrote here. It overwrites and removes these and no others.\n";

#[derive(Debug, Error)]
pub enum DiskError {
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot remove `{}`", path.display())]
    Remove { path: PathBuf, source: io::Error },
    #[error("`{}` was not written by `rk1 render`, and would be overwritten: move it away", path.display())]
    Foreign { path: PathBuf },
}

/// What happens to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Action {
    Create,
    Update { before: String },
    Remove { before: String },
}

/// A file of which the disk differs from what is rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Relative to the output directory, with `/` between its parts.
    pub path: String,
    action: Action,
    after: String,
}

impl Change {
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match self.action {
            Action::Create => "create",
            Action::Update { .. } => "update",
            Action::Remove { .. } => "remove",
        }
    }

    /// A unified diff from the disk to what is rendered.
    #[must_use]
    pub fn diff(&self) -> String {
        let (before, old_name) = match &self.action {
            Action::Create => ("", "/dev/null".to_owned()),
            Action::Update { before } | Action::Remove { before } => {
                (before.as_str(), format!("a/{}", self.path))
            }
        };
        let new_name = match self.action {
            Action::Remove { .. } => "/dev/null".to_owned(),
            Action::Create | Action::Update { .. } => format!("b/{}", self.path),
        };
        TextDiff::from_lines(before, &self.after).unified_diff().header(&old_name, &new_name).to_string()
    }
}

/// What has to change below `out` for it to hold exactly the documents.
pub fn changes(out: &Path, documents: &[Document]) -> Result<Vec<Change>, DiskError> {
    let mut folders: BTreeMap<&str, Vec<&Document>> = BTreeMap::new();
    for document in documents {
        folders.entry(document.folder).or_default().push(document);
    }
    let mut changes = Vec::new();
    for (folder, documents) in folders {
        folder_changes(out, folder, &documents, &mut changes)?;
    }
    Ok(changes)
}

/// The line of a rendered host that keeps the value on the disk: NixOS's release when the host was first rendered.
const KEPT_LINE: &str = "  system.stateVersion = ";

/// Returns the body of a document with the kept line of the file that it replaces, if both have one.
fn with_kept_line(body: &str, before: &str) -> String {
    let is_kept = |line: &&str| line.starts_with(KEPT_LINE);
    match (body.lines().find(is_kept), before.lines().find(is_kept)) {
        (Some(rendered), Some(kept)) => body.replacen(rendered, kept, 1),
        _ => body.to_owned(),
    }
}

fn folder_changes(
    out: &Path,
    folder: &str,
    documents: &[&Document],
    changes: &mut Vec<Change>,
) -> Result<(), DiskError> {
    let rendered_before = read_list(&out.join(folder))?;
    for document in documents {
        let path = out.join(folder).join(&document.name);
        let before = read(&path)?;
        let is_foreign = !rendered_before.contains(&document.name);
        let after = before
            .as_ref()
            .map_or_else(|| document.body.clone(), |before| with_kept_line(&document.body, before));
        let action = match before {
            None => Action::Create,
            Some(before) if before == after => continue,
            Some(_) if is_foreign => return Err(DiskError::Foreign { path }),
            Some(before) => Action::Update { before },
        };
        changes.push(Change { path: document.path(), action, after });
    }
    let names: BTreeSet<_> = documents.iter().map(|document| document.name.clone()).collect();
    for name in rendered_before.difference(&names) {
        if let Some(before) = read(&out.join(folder).join(name))? {
            let path = format!("{folder}/{name}");
            changes.push(Change { path, action: Action::Remove { before }, after: String::new() });
        }
    }
    let list = names.iter().fold(LIST_HEADER.to_owned(), |list, name| list + name + "\n");
    let path = format!("{folder}/{LIST}");
    match read(&out.join(&path))? {
        None => changes.push(Change { path, action: Action::Create, after: list }),
        Some(before) if before == list => {}
        Some(before) => changes.push(Change { path, action: Action::Update { before }, after: list }),
    }
    Ok(())
}

/// The names on a folder's list. A name that would lead out of the folder is none of ours.
fn read_list(folder: &Path) -> Result<BTreeSet<String>, DiskError> {
    let list = read(&folder.join(LIST))?.unwrap_or_default();
    let is_name =
        |line: &&str| !line.is_empty() && !line.starts_with(['#', '.']) && !line.contains(['/', '\\']);
    Ok(list.lines().filter(is_name).map(str::to_owned).collect())
}

/// The file's text; nothing where there is no file. What is not UTF-8 is shown as well as it can be.
fn read(path: &Path) -> Result<Option<String>, DiskError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(DiskError::Read { path: path.to_owned(), source }),
    }
}

/// Makes the changes. Each file is replaced in one step, so that none is ever seen half written.
pub fn apply(out: &Path, changes: &[Change]) -> Result<(), DiskError> {
    for change in changes {
        let path = out.join(&change.path);
        match change.action {
            Action::Create | Action::Update { .. } => atomic_file::replace(&path, &change.after)
                .map_err(|source| DiskError::Write { path: path.clone(), source })?,
            Action::Remove { .. } => {
                fs::remove_file(&path).map_err(|source| DiskError::Remove { path: path.clone(), source })?;
            }
        }
    }
    Ok(())
}
