//! The token that the sink asks for.

use rustix::fs::{AtFlags, StatxFlags};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How often a token file is looked at while its token is accepted.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// How long a push waits for the token file. A file on a network that hangs must not stop the rows.
const MOST_WAIT: Duration = Duration::from_secs(1);

/// A secret. Formatting it shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("cannot read the token file `{}`", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the token file `{}` is empty", path.display())]
    Empty { path: PathBuf },
    #[error("the token has a character that HTTP headers cannot have")]
    Unprintable,
}

impl Token {
    /// Parses a token. Whitespace around it does not count.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        if text.bytes().any(|byte| !(0x20..0x7f).contains(&byte)) {
            return Err(TokenError::Unprintable);
        }
        Ok(Self(text.to_owned()))
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

/// Where the token comes from.
#[derive(Debug)]
pub enum TokenSource {
    /// The sink needs no token.
    None,
    /// The environment had the token when the daemon started.
    Fixed(Token),
    /// A file that may be replaced while the daemon runs.
    File(TokenFile),
}

/// A token file and its last content.
#[derive(Debug)]
pub struct TokenFile {
    path: PathBuf,
    stamp: Option<Stamp>,
    token: Token,
    looked: Instant,
    /// A look at the file that has not ended yet. Another one is not started beside it.
    look: Option<JoinHandle<Option<(Stamp, Token)>>>,
}

/// Tells a replaced file from the old one: the time of the last change in seconds and nanoseconds, and the length.
type Stamp = (i64, u32, u64);

impl TokenSource {
    /// Reads the token file for the first time.
    pub fn file(path: &Path) -> Result<Self, TokenError> {
        let (stamp, token) = (stamp(path), read(path)?);
        Ok(Self::File(TokenFile { path: path.to_owned(), stamp, token, looked: Instant::now(), look: None }))
    }

    /// Returns the current token.
    ///
    /// A file that was replaced is read again. While it cannot be read, the last token stays in use.
    pub async fn current(&mut self) -> Option<&Token> {
        if let Self::File(file) = self {
            file.refresh().await;
        }
        self.last()
    }

    /// Returns the token of the last push.
    pub(super) fn last(&self) -> Option<&Token> {
        match self {
            Self::None => None,
            Self::Fixed(token) => Some(token),
            Self::File(file) => Some(&file.token),
        }
    }

    /// Makes the next push read the file, because its token was refused.
    pub fn distrust(&mut self) {
        if let Self::File(file) = self {
            file.stamp = None;
        }
    }
}

impl TokenFile {
    async fn refresh(&mut self) {
        if self.look.is_none() {
            if self.stamp.is_some() && self.looked.elapsed() < LOOK_EVERY {
                return;
            }
            self.looked = Instant::now();
            if self.stamp.is_some() && stamp(&self.path) == self.stamp {
                return;
            }
            let path = self.path.clone();
            self.look = Some(tokio::task::spawn_blocking(move || Some((stamp(&path)?, read(&path).ok()?))));
        }
        let Some(look) = &mut self.look else { return };
        let Ok(ended) = tokio::time::timeout(MOST_WAIT, look).await else { return };
        self.look = None;
        if let Ok(Some((stamp, token))) = ended {
            if token != self.token {
                log::info!("the token file `{}` has a new token", self.path.display());
            }
            (self.stamp, self.token) = (Some(stamp), token);
        }
    }
}

/// Returns the stamp of a file from what the kernel knows of it, without waiting for a file server. This is done on the
/// daemon's own thread, because each use of another thread would wake the processor three times.
fn stamp(path: &Path) -> Option<Stamp> {
    let wanted = StatxFlags::MTIME | StatxFlags::SIZE;
    let status = rustix::fs::statx(rustix::fs::CWD, path, AtFlags::STATX_DONT_SYNC, wanted).ok()?;
    Some((status.stx_mtime.tv_sec, status.stx_mtime.tv_nsec, status.stx_size))
}

fn read(path: &Path) -> Result<Token, TokenError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| TokenError::Unreadable { path: path.to_owned(), source })?;
    if text.trim().is_empty() {
        return Err(TokenError::Empty { path: path.to_owned() });
    }
    Token::parse(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let result = runtime.block_on(future);
        runtime.shutdown_background();
        result
    }

    async fn current(source: &mut TokenSource) -> String {
        source.distrust();
        source.current().await.unwrap().expose().to_owned()
    }

    #[test]
    fn a_replaced_token_is_used_and_a_missing_file_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        std::fs::write(&path, "first\n").unwrap();
        let mut source = TokenSource::file(&path).unwrap();
        block_on(async {
            assert_eq!(current(&mut source).await, "first");
            std::fs::remove_file(&path).unwrap();
            assert_eq!(current(&mut source).await, "first");
            std::fs::write(&path, "the second\n").unwrap();
            assert_eq!(current(&mut source).await, "the second");
        });
    }

    /// Opening a FIFO blocks until somebody writes to it, as a file on a network may.
    #[test]
    fn a_file_that_hangs_delays_a_push_by_a_second_at_most() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        std::fs::write(&path, "first").unwrap();
        let mut source = TokenSource::file(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        block_on(async {
            for _ in 0..2 {
                let start = Instant::now();
                assert_eq!(current(&mut source).await, "first");
                assert!(start.elapsed() < MOST_WAIT * 2, "{:?}", start.elapsed());
            }
            std::fs::write(&path, "second").unwrap();
            assert_eq!(current(&mut source).await, "second");
        });
    }

    #[test]
    fn a_token_is_never_shown() {
        let token = Token::parse("glsa_canary").unwrap();
        assert_eq!(
            format!("{token:?} {:?}", TokenSource::Fixed(token.clone())),
            "Token(..) Fixed(Token(..))"
        );
    }

    #[test]
    fn empty_and_unprintable_tokens_are_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(TokenSource::file(file.path()), Err(TokenError::Empty { .. })));
        assert!(matches!(Token::parse("a\nb"), Err(TokenError::Unprintable)));
    }
}
