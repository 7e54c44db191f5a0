//! Finds the image of a host where `nix build` leaves it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::config::cluster::Label;
use crate::config::diagnostics::Mistake;

#[derive(Debug, Error)]
pub enum FindError {
    #[error("no image of `{name}` in `{}`", folder.join("result*").display())]
    NotBuilt { name: Label, folder: PathBuf },
    #[error("several images of `{name}`: {}", list(paths))]
    Several { name: Label, paths: Vec<PathBuf> },
    #[error("cannot read `{}`: {source}", folder.display())]
    Read { folder: PathBuf, source: io::Error },
}

impl Mistake for FindError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NotBuilt { name, .. } => {
                Some(format!("build it with `nix build .#{name}`, or name the file with `--image FILE`"))
            }
            Self::Several { .. } => Some("choose one with `--image FILE`".to_owned()),
            Self::Read { .. } => None,
        }
    }
}

fn list(paths: &[PathBuf]) -> String {
    let names: Vec<_> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
    names.join(", ")
}

/// Returns the image of a host from `result`, `result-1` and so on in a folder. Two links to one file count once.
pub(super) fn find_image(folder: &Path, name: &Label) -> Result<PathBuf, FindError> {
    let read = |source| FindError::Read { folder: folder.to_owned(), source };
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut found = BTreeMap::new();
    let mut results: Vec<_> = fs::read_dir(here)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.file_name())).collect())
        .map_err(read)?;
    results.sort();
    for result in results.iter().filter(|result| result.to_string_lossy().starts_with("result")) {
        let path = folder.join(result).join(format!("{name}.img.xz"));
        if path.is_file() {
            found.entry(path.canonicalize().map_err(read)?).or_insert(path);
        }
    }
    let mut paths: Vec<_> = found.into_values().collect();
    match (paths.pop(), paths.is_empty()) {
        (Some(path), true) => Ok(path),
        (Some(path), false) => {
            paths.push(path);
            paths.sort();
            Err(FindError::Several { name: name.clone(), paths })
        }
        (None, _) => Err(FindError::NotBuilt { name: name.clone(), folder: folder.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn build(folder: &Path, result: &str, name: &str) {
        let store = folder.join(format!("store-{result}"));
        fs::create_dir(&store).expect("a folder");
        fs::write(store.join(format!("{name}.img.xz")), "").expect("an image");
        symlink(&store, folder.join(result)).expect("a link");
    }

    #[test]
    fn an_image_is_found_behind_each_name_of_the_link() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let (one, two) = (Label::parse("rk1-01").expect("a name"), Label::parse("rk1-02").expect("a name"));
        build(folder.path(), "result", "rk1-01");
        build(folder.path(), "result-1", "rk1-02");
        symlink(folder.path().join("result-1"), folder.path().join("result-2")).expect("a link");
        symlink("nowhere", folder.path().join("result-3")).expect("a link");
        let found = find_image(folder.path(), &one).expect("found");
        assert_eq!(found, folder.path().join("result/rk1-01.img.xz"));
        assert_eq!(
            find_image(folder.path(), &two).expect("found"),
            folder.path().join("result-1/rk1-02.img.xz")
        );
    }

    #[test]
    fn no_image_and_several_images_are_errors() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let name = Label::parse("rk1-01").expect("a name");
        assert!(matches!(find_image(folder.path(), &name), Err(FindError::NotBuilt { .. })));
        build(folder.path(), "result", "rk1-01");
        build(folder.path(), "result-old", "rk1-01");
        assert!(matches!(find_image(folder.path(), &name), Err(FindError::Several { .. })));
    }
}
