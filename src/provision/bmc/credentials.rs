use std::fmt;

use zeroize::Zeroizing;

/// Who asks.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub user: String,
    pub password: Password,
}

/// Never printed, never written, never an argument; overwritten when it is no longer needed.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Without line ends at its end: files often have one that is no part of the password.
    #[must_use]
    pub fn new(mut text: String) -> Self {
        text.truncate(text.trim_end_matches(['\r', '\n']).len());
        Self(text.into())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(…)")
    }
}
