//! `[secrets]`: the files of the secrets.

use super::leaf::{Named, Text};
use super::shape::{Decode, Notation, TomlValue};
use crate::config::diagnostics::Problems;
use crate::config::source::Span;

/// The file of each secret, relative to `cluster.toml`, which `rk1 flash` reads. An empty path is for a secret that reaches
/// the nodes in another way, such as with sops-nix.
#[derive(Debug, schemars::JsonSchema)]
#[schemars(transparent)]
pub struct Secrets {
    pub files: Named<Text>,
    #[schemars(skip)]
    pub span: Span,
}

impl Decode for Secrets {
    const NOTATION: Notation = Notation::Table;

    fn decode(path: &str, value: &TomlValue<'_>, problems: &mut Problems) -> Option<Self> {
        Some(Self { files: Named::decode(path, value, problems)?, span: value.span().into() })
    }
}
