//! Whether Nix would copy a secret's file to its store, which everybody on the machine can read.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// How a file would get to the store: with the flake beside it, which Nix copies there before it evaluates it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leak {
    /// Git does not ignore it, and what Git knows is copied (Nix manual, "git" flake references).
    WithGit,
    /// The folder is no Git repository: all of it is copied (the same, "path" flake references).
    WithFolder,
}

impl Leak {
    /// Of a file that is there; `folder` is that of `cluster.toml`. `None` also where Git cannot be asked.
    pub fn of(file: &Path, folder: &Path) -> io::Result<Option<Self>> {
        let (file, folder) = (fs::canonicalize(file)?, fs::canonicalize(folder.join("."))?);
        let Some(flake) = folder.ancestors().find(|folder| folder.join("flake.nix").exists()) else {
            return Ok(None);
        };
        if !file.starts_with(flake) {
            return Ok(None);
        }
        if !flake.ancestors().any(|folder| folder.join(".git").exists()) {
            return Ok(Some(Self::WithFolder));
        }
        let mut git = Command::new("git");
        git.arg("-C").arg(flake).args(["check-ignore", "--quiet", "--"]).arg(&file);
        let status = git.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        // 0: ignored, and not known all the same. 1: neither. Else git has no answer, or is not there.
        Ok(status.ok().filter(|status| status.code() == Some(1)).map(|_| Self::WithGit))
    }

    #[must_use]
    pub fn hint(self, file: &Path) -> String {
        let file = file.display();
        match self {
            Self::WithGit => format!(
                "Nix copies what Git knows to its store, for all to read: write `{file}` into `.gitignore`, and `git rm \
                 --cached {file}` if Git knows it already"
            ),
            Self::WithFolder => format!(
                "Nix copies a folder that is no Git repository to its store, for all to read: `git init`, with `{file}` in \
                 `.gitignore`"
            ),
        }
    }
}
