//! The secret that opens the sink: read from a file, never shown.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

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
    #[error("cannot read the token file `{}`: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the token file `{}` is empty", path.display())]
    Empty { path: PathBuf },
    #[error("the token holds a character that no HTTP header may hold")]
    Unprintable,
}

impl Token {
    /// Takes a token as it was given; whitespace around it does not count.
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
#[derive(Debug, Clone)]
pub enum TokenSource {
    /// The sink asks for none.
    None,
    /// Given once, by the environment.
    Fixed(Token),
    /// A file that may be replaced while we run.
    File(TokenFile),
}

/// A token file and what was read of it last.
#[derive(Debug, Clone)]
pub struct TokenFile {
    path: PathBuf,
    seen: Option<(SystemTime, u64)>,
    token: Token,
}

impl TokenSource {
    /// Reads the token file for the first time.
    pub fn file(path: &Path) -> Result<Self, TokenError> {
        let seen = stamp(path);
        Ok(Self::File(TokenFile { path: path.to_owned(), seen, token: read(path)? }))
    }

    /// The token of this moment. A file that was replaced is read again; one that cannot be read just now
    /// (it is being replaced) leaves the token as it was.
    pub fn current(&mut self) -> Option<&Token> {
        match self {
            Self::None => None,
            Self::Fixed(token) => Some(token),
            Self::File(file) => {
                let stamp = stamp(&file.path);
                if stamp != file.seen
                    && stamp.is_some()
                    && let Ok(token) = read(&file.path)
                {
                    if token != file.token {
                        log::info!("the token in `{}` is a new one", file.path.display());
                    }
                    file.token = token;
                    file.seen = stamp;
                }
                Some(&file.token)
            }
        }
    }

    /// The token that was used last.
    pub(super) fn last(&self) -> Option<&Token> {
        match self {
            Self::None => None,
            Self::Fixed(token) => Some(token),
            Self::File(file) => Some(&file.token),
        }
    }

    /// Makes the next use read the file even if it looks the same.
    pub fn distrust(&mut self) {
        if let Self::File(file) = self {
            file.seen = None;
        }
    }
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
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

    #[test]
    fn a_rotated_token_is_seen_and_a_missing_file_is_borne() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        std::fs::write(&path, "first\n").unwrap();
        let mut source = TokenSource::file(&path).unwrap();
        assert_eq!(source.current().unwrap().expose(), "first");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(source.current().unwrap().expose(), "first");
        std::fs::write(&path, "the second\n").unwrap();
        assert_eq!(source.current().unwrap().expose(), "the second");
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
