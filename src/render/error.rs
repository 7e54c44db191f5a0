//! Why a cluster could not be rendered.

use thiserror::Error;

use crate::config::diagnostics::Problems;

#[derive(Debug, Error)]
pub enum RenderError {
    #[error("internal error: a template cannot be rendered")]
    Template(#[from] tera::Error),
    #[error("internal error: rendered Nix does not parse")]
    Nix(#[from] nixfmt_rs::ParseError),
    /// The rendered files would not work. The places are those of cluster.toml from which they were made.
    #[error("this cluster.toml cannot be rendered")]
    Refused(Problems),
}
