//! From a cluster to documents. A renderer is a pure function of the cluster: the same cluster, the same bytes.

pub mod diagram;
pub mod disk;
pub mod document;
mod hosts;
pub(crate) mod manifests;
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
    #[error("a template cannot be rendered")]
    Template(#[from] tera::Error),
    #[error("what a template printed is no Nix")]
    Nix(#[from] nixfmt_rs::ParseError),
    /// What was made would not work. The places are those of the cluster's file that it was made from.
    #[error("what the cluster's file asks for cannot be rendered")]
    Refused(Problems),
}

/// Everything that the cluster is made of, in the order of the paths.
pub fn documents(cluster: &Cluster, pins: &Pins) -> Result<Vec<Document>, RenderError> {
    let mut documents = hosts::documents(cluster)?;
    documents.extend(manifests::documents(cluster, pins)?);
    documents.extend(routers::documents(cluster)?);
    documents.sort_by_cached_key(Document::path);
    Ok(documents)
}

/// What is worth knowing of the documents: no reason not to write them.
#[must_use]
pub fn warnings(cluster: &Cluster, pins: &Pins) -> Problems {
    manifests::warnings(cluster, pins)
}
