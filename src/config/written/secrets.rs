//! `[secrets]`: the files of the secrets.

use super::leaf::{Named, Text};
use super::shape::{Decode, Notation, TomlValue};
use crate::config::diagnostics::Problems;
use crate::config::source::Span;

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
    const NOTATION: Notation = Notation::Table;

    fn decode(path: &str, value: &TomlValue<'_>, problems: &mut Problems) -> Option<Self> {
        Some(Self { files: Named::decode(path, value, problems)?, span: value.span().into() })
    }
}
