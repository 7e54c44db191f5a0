//! `[storage.binds]` and `binds` of a further disk: the system directories that are kept on a disk.

use super::mistake::StorageMistake;
use super::paths::{is_below, is_plain_name, overlap, parse_bind};
use crate::config::cluster::first_use::FirstUse;
use crate::config::diagnostics::Problems;
use crate::config::source::Span;
use crate::config::written::{self, Text};

/// A system directory that is kept on a disk.
#[derive(Debug, Clone)]
pub struct Bind {
    pub path: String,
    /// The directory on the disk, below the mount point.
    pub directory: String,
    /// The place of the path. `None` for a default.
    pub(super) written: Option<Span>,
}

/// The directory in which k3s keeps the data of etcd.
pub(super) const ETCD: &str = "/var/lib/rancher";
const BINDS: [(&str, &str); 3] =
    [("/run/k3s", "k3s"), ("/var/lib/kubelet", "k3s-kubelet"), (ETCD, "k3s-rancher")];

/// Returns the binds that are written, and the defaults that are not overridden.
pub(super) fn of_data_disk(
    entries: &[(Text, written::Bind)],
    mount: &str,
    problems: &mut Problems,
) -> Option<Vec<Bind>> {
    let mut paths: Vec<&Text> = Vec::new();
    let mut kept = Vec::new();
    for (path, bind) in entries {
        match bind {
            written::Bind::Directory(directory) => kept.push((path, directory)),
            written::Bind::Off(_) => note_removal(path, problems),
        }
    }
    let mut resolved = resolve_written(&kept, mount, &mut paths, problems);
    let is_written = |path: &str| entries.iter().any(|(written, _)| written.value == path);
    for (path, directory) in BINDS.into_iter().filter(|(path, _)| !is_written(path)) {
        let nested =
            paths.iter().find(|written| is_below(&written.value, path) || is_below(path, &written.value));
        if let Some(written) = nested {
            let mistake = StorageMistake::NestedInDefault { path: written.value.clone(), default: path };
            problems.error(written.span, mistake);
        }
        resolved.push(Some(Bind { path: path.to_owned(), directory: directory.to_owned(), written: None }));
    }
    let mut binds: Vec<Bind> = resolved.into_iter().collect::<Option<_>>()?;
    binds.sort_by(|one, other| one.path.cmp(&other.path));
    Some(binds)
}

/// Returns the binds of a further disk, which has no defaults.
pub(super) fn of_further_disk(
    entries: &[(Text, Text)],
    mount: &str,
    problems: &mut Problems,
) -> Option<Vec<Bind>> {
    let kept: Vec<_> = entries.iter().map(|(path, directory)| (path, directory)).collect();
    let mut binds: Vec<Bind> =
        resolve_written(&kept, mount, &mut Vec::new(), problems).into_iter().collect::<Option<_>>()?;
    binds.sort_by(|one, other| one.path.cmp(&other.path));
    Some(binds)
}

/// Returns the binds that are written. A valid path is added to `paths`.
fn resolve_written<'a>(
    kept: &[(&'a Text, &Text)],
    mount: &str,
    paths: &mut Vec<&'a Text>,
    problems: &mut Problems,
) -> Vec<Option<Bind>> {
    let mut directories = FirstUse::default();
    let mut resolved = Vec::new();
    for (path, directory) in kept {
        let parsed = problems.take(path.span, parse_bind(&path.value));
        if parsed.is_some() {
            note_nesting(path, mount, paths, problems);
            paths.push(path);
        }
        if !is_plain_name(&directory.value) {
            let mistake = StorageMistake::NotADirectory { directory: directory.value.clone() };
            problems.error(directory.span, mistake);
        } else if let Some(first) = directories.earlier(directory.value.as_str(), directory.span) {
            note_shared(directory, first, problems);
        }
        let span = path.span;
        resolved.push(parsed.map(|path| Bind {
            path,
            directory: directory.value.clone(),
            written: Some(span),
        }));
    }
    resolved
}

fn note_removal(path: &Text, problems: &mut Problems) {
    if !BINDS.iter().any(|(default, _)| *default == path.value) {
        problems.error(path.span, StorageMistake::NotADefault { path: path.value.clone() });
    }
}

fn note_shared(directory: &Text, first: Span, problems: &mut Problems) {
    let mistake = StorageMistake::SharedDirectory { directory: directory.value.clone() };
    problems.collision(directory.span, mistake, first, "first used here");
}

/// Notes a path that overlaps the mount point or an earlier path.
fn note_nesting(path: &Text, mount: &str, earlier: &[&Text], problems: &mut Problems) {
    let mistake = |other: &str| StorageMistake::Nested { path: path.value.clone(), other: other.to_owned() };
    if overlap(&path.value, mount) {
        problems.error(path.span, mistake(mount));
    }
    for other in earlier.iter().filter(|other| overlap(&path.value, &other.value)) {
        problems.collision(path.span, mistake(&other.value), other.span, "the other path");
    }
}
