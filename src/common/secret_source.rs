//! Where the bytes of a secret come from, and reading them.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use thiserror::Error;
use zeroize::Zeroizing;

use crate::common::bounded::{self, BoundedError, Bounds};
use crate::common::printable::Line;
use crate::common::secret_file::{self, SIZE_LIMIT, SecretState};

/// A password manager may wait for a finger on a key.
const PROGRAM_BOUNDS: Bounds = Bounds { time: Duration::from_mins(1), size: SIZE_LIMIT };

/// The source of a secret, as `[secrets]` names it. Paths are relative to the folder of `cluster.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The secret gets to the nodes another way.
    Elsewhere,
    File(PathBuf),
    /// The output of a program, such as a password manager.
    Program(SecretProgram),
}

/// A program that prints a secret, and its arguments. It is run in the folder of `cluster.toml`, without a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretProgram {
    pub program: String,
    pub arguments: Vec<String>,
}

/// Why a secret cannot be read. It holds no byte of the secret.
#[derive(Debug, Error)]
pub enum SourceError {
    #[error("has no file in `[secrets]`")]
    Elsewhere,
    #[error("{state}: `{}`", path.display())]
    Unfit { path: PathBuf, state: SecretState },
    #[error("cannot be read by `{program}`: {fault}")]
    Program { program: String, fault: ProgramFault },
}

/// Why a program did not print a secret.
#[derive(Debug, Error)]
pub enum ProgramFault {
    #[error("it cannot be run: {0}")]
    NotRun(io::Error),
    #[error(transparent)]
    OutOfBounds(BoundedError),
    /// It has failed, and said this.
    #[error("it ended with {status}: {said}")]
    Failed { status: ExitStatus, said: Line },
    #[error("it printed nothing")]
    Empty,
}

impl SecretSource {
    /// Reads the secret. `folder` is that of `cluster.toml`.
    pub(crate) fn read(&self, folder: &Path) -> Result<Zeroizing<Vec<u8>>, SourceError> {
        match self {
            Self::Elsewhere => Err(SourceError::Elsewhere),
            Self::File(path) => {
                let path = folder.join(path);
                secret_file::read(&path).map_err(|state| SourceError::Unfit { path, state })
            }
            Self::Program(program) => program
                .run(folder)
                .map_err(|fault| SourceError::Program { program: program.program.clone(), fault }),
        }
    }

    /// Returns the file, if the secret has one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Elsewhere | Self::Program(_) => None,
        }
    }
}

impl SecretProgram {
    fn run(&self, folder: &Path) -> Result<Zeroizing<Vec<u8>>, ProgramFault> {
        log::debug!("{} {}", self.program, self.arguments.join(" "));
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        if !folder.as_os_str().is_empty() {
            command.current_dir(folder);
        }
        let printed = bounded::run(&mut command, PROGRAM_BOUNDS).map_err(|error| match error {
            BoundedError::NotRun(error) => ProgramFault::NotRun(error),
            error => ProgramFault::OutOfBounds(error),
        })?;
        let secret = Zeroizing::new(printed.stdout);
        if !printed.status.success() {
            let said = String::from_utf8_lossy(&printed.stderr);
            let last = said.trim().lines().last().unwrap_or("no word of explanation");
            return Err(ProgramFault::Failed { status: printed.status, said: Line::new(last.trim()) });
        }
        if secret.is_empty() { Err(ProgramFault::Empty) } else { Ok(secret) }
    }
}
