//! Compares the documents with the disk, and brings the disk up to date.
//!
//! Each folder has a list of the files that were rendered into it (`.rendered`). Only files on that list are ever
//! overwritten or removed. The list is written first, so that a run that was killed at any point can be repeated.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use similar::TextDiff;
use thiserror::Error;

use crate::common::atomic_file;
use crate::config::source::Source;
use crate::render::document::Document;

const LIST: &str = ".rendered";
const LIST_HEADER: &str =
    "# The files that `rk1 render` wrote here. It overwrites and removes these and no others.\n";
/// The most bytes of a file that are read. Rendered files have some kilobytes.
const SIZE_LIMIT: u64 = 4 << 20;

#[derive(Debug, Error)]
pub enum DiskError {
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot remove `{}`", path.display())]
    Remove { path: PathBuf, source: io::Error },
    #[error("`{}` was not written by `rk1 render` and would be overwritten: move it away", path.display())]
    Foreign { path: PathBuf },
    #[error("`{}` is not a regular file: `rk1 render` neither follows nor replaces it", path.display())]
    NotAFile { path: PathBuf },
    #[error("`{}` has more than {} MiB", path.display(), SIZE_LIMIT >> 20)]
    TooLarge { path: PathBuf },
    #[error("`{}` leads out of the output folder to `{}`: nothing is read or written there", path.display(), target.display())]
    Outside { path: PathBuf, target: PathBuf },
}

/// How a file changes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Action {
    Create,
    Update { before: String },
    Remove { before: String },
}

/// A file that differs between the disk and the documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Relative to the output folder, with `/` between its parts.
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

    /// Returns a unified diff from the disk to the document.
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

/// Returns the changes that bring the folders below `out` up to date with the documents.
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
    stay_inside(out, folder)?;
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
            // Even with the same content: a later run would overwrite or remove the file as its own.
            Some(_) if is_foreign => return Err(DiskError::Foreign { path }),
            Some(before) if before == after => continue,
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
    let list = list_of(&names);
    let path = format!("{folder}/{LIST}");
    match read(&out.join(&path))? {
        None => changes.push(Change { path, action: Action::Create, after: list }),
        Some(before) if before == list => {}
        Some(before) => changes.push(Change { path, action: Action::Update { before }, after: list }),
    }
    Ok(())
}

/// Refuses a folder that a symlink puts outside `out`.
fn stay_inside(out: &Path, folder: &str) -> Result<(), DiskError> {
    let path = out.join(folder);
    match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_symlink() => {}
        // Whatever else it is, reading and writing files in it say what is wrong.
        _ => return Ok(()),
    }
    let out = if out.as_os_str().is_empty() { Path::new(".") } else { out };
    let resolve = |path: &Path| {
        fs::canonicalize(path).map_err(|source| DiskError::Read { path: path.to_owned(), source })
    };
    let (out, target) = (resolve(out)?, resolve(&path)?);
    if target.starts_with(out) { Ok(()) } else { Err(DiskError::Outside { path, target }) }
}

fn list_of(names: &BTreeSet<String>) -> String {
    names.iter().fold(LIST_HEADER.to_owned(), |list, name| list + name + "\n")
}

/// Returns the names on a folder's list. A name that would lead out of the folder is ignored.
fn read_list(folder: &Path) -> Result<BTreeSet<String>, DiskError> {
    Ok(names_in(&read(&folder.join(LIST))?.unwrap_or_default()))
}

fn names_in(list: &str) -> BTreeSet<String> {
    let is_name =
        |line: &&str| !line.is_empty() && !line.starts_with(['#', '.']) && !line.contains(['/', '\\']);
    list.lines().filter(is_name).map(str::to_owned).collect()
}

/// Returns a file's text, or `None` if there is no file. Bytes that are not UTF-8 are replaced.
fn read(path: &Path) -> Result<Option<String>, DiskError> {
    let failed = |source| DiskError::Read { path: path.to_owned(), source };
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Err(DiskError::NotAFile { path: path.to_owned() }),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(failed)?;
    file.take(SIZE_LIMIT + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > SIZE_LIMIT {
        return Err(DiskError::TooLarge { path: path.to_owned() });
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Returns the files in a folder that neither are documents nor were rendered before: the user's own. Symlinks, folders
/// and files whose name begins with a dot are left out.
pub fn own_files(out: &Path, folder: &str, documents: &[Document]) -> Result<Vec<Source>, DiskError> {
    let path = out.join(folder);
    let failed = |source| DiskError::Read { path: path.clone(), source };
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut rendered = read_list(&path)?;
    let of_folder = documents.iter().filter(|document| document.folder == folder);
    rendered.extend(of_folder.map(|document| document.name.clone()));
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_file = entry.file_type().map_err(failed)?.is_file();
        if is_file
            && !name.starts_with('.')
            && !rendered.contains(&name)
            && let Some(text) = read(&entry.path())?
        {
            files.push(Source { name: format!("{folder}/{name}"), text });
        }
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}

/// A single change of the disk. After any of them, a run that was killed can be repeated.
#[derive(Debug)]
pub struct DiskStep<'a> {
    path: &'a str,
    /// `None` removes the file.
    text: Option<String>,
}

/// Returns the steps that make the changes. In each folder, the first one puts the names of the new files on the list,
/// beside those of the old ones; the last one leaves the new ones alone on it.
#[must_use]
pub fn steps(changes: &[Change]) -> Vec<DiskStep<'_>> {
    let is_list = |change: &&Change| change.path.ends_with(&format!("/{LIST}"));
    let first = changes.iter().filter(is_list).map(|change| {
        let mut names = names_in(&change.after);
        if let Action::Update { before } = &change.action {
            names.extend(names_in(before));
        }
        DiskStep { path: &change.path, text: Some(list_of(&names)) }
    });
    let rest = changes.iter().map(|change| DiskStep {
        path: &change.path,
        text: (!matches!(change.action, Action::Remove { .. })).then(|| change.after.clone()),
    });
    first.chain(rest).collect()
}

impl DiskStep<'_> {
    /// Replaces or removes the file. A reader never sees half of it.
    pub fn run(&self, out: &Path) -> Result<(), DiskError> {
        let path = out.join(self.path);
        match &self.text {
            Some(text) => {
                atomic_file::replace(&path, text).map_err(|source| DiskError::Write { path, source })
            }
            None => fs::remove_file(&path).map_err(|source| DiskError::Remove { path, source }),
        }
    }
}

/// Makes the changes.
pub fn apply(out: &Path, changes: &[Change]) -> Result<(), DiskError> {
    steps(changes).iter().try_for_each(|step| step.run(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents(files: &[(&str, &str)]) -> Vec<Document> {
        let document = |(name, body): &(&str, &str)| Document {
            folder: "hosts",
            name: (*name).to_owned(),
            body: (*body).to_owned(),
        };
        files.iter().map(document).collect()
    }

    fn render(out: &Path, files: &[(&str, &str)]) {
        let changes = changes(out, &documents(files)).expect("changes");
        apply(out, &changes).expect("the changes are made");
    }

    fn on_disk(out: &Path) -> BTreeMap<String, String> {
        let entries = fs::read_dir(out.join("hosts")).expect("a folder");
        let file = |entry: io::Result<fs::DirEntry>| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(path).expect("text"))
        };
        entries.map(file).collect()
    }

    /// Kills the second of three runs after each of its steps. The third renders something else again.
    #[test]
    fn a_run_that_is_killed_at_any_step_can_be_repeated() {
        const FIRST: &[(&str, &str)] = &[("a", "1"), ("b", "1"), ("c", "1")];
        const SECOND: &[(&str, &str)] = &[("b", "2"), ("c", "1"), ("d", "2"), ("e", "2")];
        const THIRD: &[(&str, &str)] = &[("a", "3"), ("d", "3"), ("f", "3")];
        for first in [&[][..], FIRST] {
            let mut done = 0;
            loop {
                let folder = tempfile::tempdir().expect("a temporary folder");
                let out = folder.path();
                if !first.is_empty() {
                    render(out, first);
                }
                let second = changes(out, &documents(SECOND)).expect("changes");
                let steps = steps(&second);
                for step in steps.iter().take(done) {
                    step.run(out).expect("a step");
                }
                render(out, THIRD);
                let names: Vec<_> = on_disk(out).into_keys().collect();
                assert_eq!(names, [".rendered", "a", "d", "f"], "after {done} steps");
                assert_eq!(changes(out, &documents(THIRD)).expect("changes"), []);
                if done == steps.len() {
                    break;
                }
                done += 1;
            }
            assert!(done >= 5);
        }
    }

    #[test]
    fn a_foreign_file_is_not_adopted() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("hosts")).expect("a folder");
        fs::write(folder.path().join("hosts/a"), "1").expect("a file");
        for body in ["1", "2"] {
            let error = changes(folder.path(), &documents(&[("a", body)])).expect_err("the file is foreign");
            assert!(matches!(error, DiskError::Foreign { .. }), "{error}");
        }
    }

    #[test]
    fn symlinks_are_not_followed() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (out, other) = (folder.path().join("out"), folder.path().join("other"));
        fs::create_dir(&out).expect("a folder");
        fs::create_dir(&other).expect("a folder");
        fs::write(other.join("a"), "secret").expect("a file");

        symlink(&other, out.join("hosts")).expect("a link");
        let error = changes(&out, &documents(&[("b", "1")])).expect_err("the folder is elsewhere");
        assert!(matches!(error, DiskError::Outside { .. }), "{error}");
        fs::remove_file(out.join("hosts")).expect("the link is removed");

        // Within the output folder a symlink does no harm.
        fs::create_dir(out.join("real")).expect("a folder");
        symlink("real", out.join("hosts")).expect("a link");
        render(&out, &[("b", "1")]);
        assert_eq!(fs::read_to_string(out.join("real/b")).expect("a file"), "1");

        for name in ["a", LIST] {
            let _ = fs::remove_file(out.join("real").join(name));
            symlink(other.join("a"), out.join("real").join(name)).expect("a link");
            let error = changes(&out, &documents(&[("a", "1")])).expect_err("the file is a link");
            assert!(matches!(error, DiskError::NotAFile { .. }), "{error}");
        }
        assert_eq!(fs::read_to_string(other.join("a")).expect("a file"), "secret");
    }
}
