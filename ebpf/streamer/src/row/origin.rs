//! Where a row was made.

use super::{Field, line};

pub(super) const INTERFACE: Field = field!("interface");
pub(super) const HOST: Field = field!("host");

/// The same two fields on every row, in place of tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    host: String,
    interface: String,
    /// Both fields as a line has them, written once.
    line: Vec<u8>,
}

impl Origin {
    #[must_use]
    pub fn new(host: impl Into<String>, interface: impl Into<String>) -> Self {
        let (host, interface) = (host.into(), interface.into());
        let line = line::texts(&[(INTERFACE, &interface), (HOST, &host)]);
        Self { host, interface, line }
    }

    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    #[must_use]
    pub fn interface(&self) -> &str {
        &self.interface
    }

    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }
}
