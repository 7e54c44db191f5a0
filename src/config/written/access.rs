//! Who may log in, and where secrets come from.

use super::leaf::{Named, Text};
use super::shape::{Decode, Kind, Required, TomlValue};
use super::table::table;
use crate::config::diagnostics::Problems;
use crate::config::source::Span;

table! {
    /// Who may log in.
    pub struct Access {
        /// Public SSH keys of those who may log in as root. There are no passwords.
        "ssh-keys" ssh_keys: Required<Vec<Text>> = ["ssh-ed25519 AAAA… you@your-machine"],
    }
}

/// Where the bytes of each secret lie at flash time: a file for each name, relative to `cluster.toml`. Empty for one that
/// comes to the nodes another way, such as by sops-nix.
#[derive(Debug, schemars::JsonSchema)]
#[schemars(transparent)]
pub struct Secrets {
    pub files: Named<Text>,
    #[schemars(skip)]
    pub span: Span,
}

impl Decode for Secrets {
    const KIND: Kind = Kind::Table;

    fn decode(path: &str, value: &TomlValue<'_>, problems: &mut Problems) -> Option<Self> {
        Some(Self { files: Named::decode(path, value, problems)?, span: value.span().into() })
    }
}
