//! Files that are written in one step.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Everybody may read these files: none of them holds a secret.
const MODE: u32 = 0o644;

/// Writes a file that everybody may read, and creates its folder if it is missing.
///
/// The text goes to a temporary file that is then renamed, so no reader ever sees half of it, and a symlink at `path`
/// is replaced instead of followed.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    fs::create_dir_all(folder)?;
    let mut temporary =
        tempfile::Builder::new().permissions(Permissions::from_mode(MODE)).tempfile_in(folder)?;
    temporary.write_all(text.as_bytes())?;
    temporary.persist(path).map(drop).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_symlink_is_replaced_and_its_target_stays() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let (target, link) = (folder.path().join("target"), folder.path().join("below/link"));
        fs::write(&target, "old").expect("a file");
        fs::create_dir(folder.path().join("below")).expect("a folder");
        symlink(&target, &link).expect("a link");
        replace(&link, "new").expect("the file is written");
        assert_eq!(fs::read_to_string(&target).expect("the target"), "old");
        assert_eq!(fs::read_to_string(&link).expect("the file"), "new");
        assert_eq!(fs::symlink_metadata(&link).expect("metadata").permissions().mode() & 0o777, MODE);
    }
}
