//! Checks whether Nix would copy a secret's file to its store, which every user of the machine can read.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::common::bounded::{self, BoundedError, Bounds};
use crate::common::printable::Line;

/// What one question to Git may take. It prints nothing but an error of a line or two.
const GIT_BOUNDS: Bounds = Bounds { time: Duration::from_secs(10), size: 4096 };

/// The way on which a file would get to the store: Nix copies the folder of a flake there before it evaluates it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leak {
    /// Git does not ignore the file, and Nix copies what Git tracks (Nix manual, "git" flake references).
    Git,
    /// The folder is not a Git repository, and Nix copies all of it (the same, "path" flake references).
    Folder,
}

/// The answer to whether a file would get to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LeakCheck {
    Safe,
    Leaks(Leak),
    /// The question could not be answered, for this reason.
    Unknown(String),
}

impl LeakCheck {
    /// Checks a file that exists. `folder` is that of `cluster.toml`.
    pub(super) fn of(file: &Path, folder: &Path) -> Self {
        check(file, folder).unwrap_or_else(|error| Self::Unknown(error.to_string()))
    }
}

fn check(file: &Path, folder: &Path) -> io::Result<LeakCheck> {
    let (file, folder) = (fs::canonicalize(file)?, fs::canonicalize(folder.join("."))?);
    let Some(flake) = folder.ancestors().find(|folder| folder.join("flake.nix").exists()) else {
        return Ok(LeakCheck::Safe);
    };
    if !file.starts_with(flake) {
        return Ok(LeakCheck::Safe);
    }
    if !flake.ancestors().any(|folder| folder.join(".git").exists()) {
        return Ok(LeakCheck::Leaks(Leak::Folder));
    }
    ask_git(flake, &file)
}

/// Asks Git whether it ignores a file, which must hold although Git may track it.
fn ask_git(flake: &Path, file: &Path) -> io::Result<LeakCheck> {
    let mut git = Command::new("git");
    git.arg("-C").arg(flake).args(["check-ignore", "--quiet", "--"]).arg(file);
    let printed = match bounded::run(&mut git, GIT_BOUNDS) {
        Ok(printed) => printed,
        Err(BoundedError::NotRun(error)) => {
            return Err(io::Error::new(error.kind(), format!("cannot run `git`: {error}")));
        }
        Err(BoundedError::Late(limit)) => {
            return Ok(LeakCheck::Unknown(format!("`git` did not answer within {} s", limit.as_secs())));
        }
        Err(error @ BoundedError::TooLong(_)) => return Ok(LeakCheck::Unknown(format!("`git`: {error}"))),
    };
    match printed.status.code() {
        Some(0) => Ok(LeakCheck::Safe),
        Some(1) => Ok(LeakCheck::Leaks(Leak::Git)),
        _ => {
            let said = String::from_utf8_lossy(&printed.stderr);
            let first = said.lines().next().unwrap_or_default();
            Ok(LeakCheck::Unknown(if first.is_empty() {
                format!("`git` ended with {}", printed.status)
            } else {
                Line::new(first).to_string()
            }))
        }
    }
}

impl Leak {
    /// What to do about it.
    pub(super) fn hint(self, file: &Path) -> String {
        let file = file.display();
        match self {
            Self::Git => format!(
                "Nix copies what Git tracks to its store, which every user can read: add `{file}` to `.gitignore`, and \
                 run `git rm --cached {file}` if Git tracks it already"
            ),
            Self::Folder => format!(
                "Nix copies a folder that is not a Git repository to its store, which every user can read: run \
                 `git init` and add `{file}` to `.gitignore`"
            ),
        }
    }
}
