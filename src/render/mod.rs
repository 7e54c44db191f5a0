//! From a cluster to documents. A renderer is a pure function of the cluster: the same cluster, the same bytes.

mod hosts;
pub mod nix;

use thiserror::Error;

use crate::cluster::Cluster;
use crate::document::Document;

#[derive(Debug, Error)]
pub enum RenderError {
    #[error("a template cannot be rendered")]
    Template(#[from] tera::Error),
}

/// Everything that the cluster is made of, in the order of the paths.
pub fn documents(cluster: &Cluster) -> Result<Vec<Document>, RenderError> {
    let mut documents = hosts::documents(cluster)?;
    documents.sort_by_cached_key(Document::path);
    Ok(documents)
}
