//! Checks whether Nix would copy a secret's file to its store, which every user of the machine can read.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::printable::printable;

/// The time limit of one question to Git.
const GIT_LIMIT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(2);
/// The number of bytes that are read of an error of Git.
const ERROR_LIMIT: u64 = 4096;

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
    git.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let began = Instant::now();
    let mut child =
        git.spawn().map_err(|error| io::Error::new(error.kind(), format!("cannot run `git`: {error}")))?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if began.elapsed() >= GIT_LIMIT {
            child.kill()?;
            child.wait()?;
            return Ok(LeakCheck::Unknown(format!("`git` did not answer within {} s", GIT_LIMIT.as_secs())));
        }
        thread::sleep(POLL);
    };
    match status.code() {
        Some(0) => Ok(LeakCheck::Safe),
        Some(1) => Ok(LeakCheck::Leaks(Leak::Git)),
        _ => {
            let mut said = Vec::new();
            if let Some(stderr) = child.stderr.take() {
                stderr.take(ERROR_LIMIT).read_to_end(&mut said)?;
            }
            let said = String::from_utf8_lossy(&said);
            let first = said.lines().next().unwrap_or_default();
            Ok(LeakCheck::Unknown(if first.is_empty() {
                format!("`git` ended with {status}")
            } else {
                printable(first)
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
