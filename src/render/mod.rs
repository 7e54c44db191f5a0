//! Makes documents from a cluster. A renderer is a pure function: the same cluster gives the same bytes.

pub mod diagram;
pub mod disk;
pub mod document;
mod hosts;
pub mod manifests;
pub mod nix;
pub mod pins;
pub mod routers;
pub mod schema;
pub mod xml;
pub mod yaml;

use thiserror::Error;

use crate::config::cluster::Cluster;
use crate::config::diagnostics::Problems;
use crate::render::document::Document;
use crate::render::pins::Pins;

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

/// Returns all files of the cluster, in the order of their paths.
pub fn documents(cluster: &Cluster, pins: &Pins) -> Result<Vec<Document>, RenderError> {
    let mut documents = hosts::documents(cluster)?;
    documents.extend(manifests::documents(cluster, pins)?);
    documents.extend(routers::documents(cluster)?);
    documents.sort_by_cached_key(Document::path);
    Ok(documents)
}

/// Returns warnings about the documents.
#[must_use]
pub fn warnings(cluster: &Cluster, pins: &Pins) -> Problems {
    manifests::warnings(cluster, pins)
}
