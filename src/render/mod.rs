//! Makes documents from a cluster. A renderer is a pure function: the same cluster gives the same bytes.

pub mod diagram;
pub mod disk;
pub mod document;
mod error;
mod hosts;
pub mod manifests;
pub mod nix;
pub mod pins;
pub mod routers;
pub mod schema;
pub mod xml;
pub mod yaml;

pub use error::RenderError;

use crate::config::cluster::Cluster;
use crate::config::diagnostics::Problems;
use crate::render::document::Document;
use crate::render::pins::Pins;

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
