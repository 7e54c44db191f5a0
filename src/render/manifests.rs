//! `manifests/`: the Kubernetes objects, one file for each concern, named in the order in which they are applied.
//!
//! k3s applies the files in the order of their names every 15 seconds, and retries each until it succeeds (k3s-io/k3s,
//! `pkg/deploy/controller.go`). A file's name up to the first dot is the name of its add-on, so no two share that part.

pub(crate) mod bgp;
mod cert_manager;
mod chart;
mod check;
mod cilium;
mod fetched;
pub(crate) mod gateway;
pub(crate) mod issuer;
mod names;
mod own;
mod policies;
mod pools;
pub mod ports;
mod values;
mod yaml_place;

pub(super) use check::place;
pub use names::FOLDER;
use names::{BGP, CERT_MANAGER, CILIUM, GATEWAY, HUBBLE, ISSUER, POLICIES, POOLS};
pub use own::{OwnFile, check_own_files};
use tera::Context;
pub(super) use values::json;

use super::error::RenderError;
use crate::config::cluster::Cluster;
use crate::config::diagnostics::Problems;
use crate::render::document::Document;
use crate::render::pins::Pins;
use crate::render::yaml;

/// The head of the file that holds nothing but pools.
const POOLS_HEAD: &str = "# Rendered from cluster.toml by `rk1 render`: edit that file, not this one.\n\
                          # The external addresses of services. k3s retries this file until Cilium has installed its kinds.";

/// Returns warnings about the rendered files.
pub(super) fn warnings(cluster: &Cluster, pins: &Pins) -> Problems {
    let mut problems = Problems::default();
    chart::note_unpinned(cluster, pins, &mut problems);
    problems
}

/// Returns the files. `pins` has the hashes of the charts and definitions.
pub(super) fn documents(cluster: &Cluster, pins: &Pins) -> Result<Vec<Document>, RenderError> {
    let tera = yaml::templates(&[
        (CILIUM, include_str!("manifests/10-cilium.yaml.tera")),
        (CERT_MANAGER, include_str!("manifests/20-cert-manager.yaml.tera")),
        (BGP, include_str!("manifests/30-bgp.yaml.tera")),
        (POOLS, include_str!("manifests/30-pools.yaml.tera")),
        (POLICIES, include_str!("manifests/35-network-policies.yaml.tera")),
        (ISSUER, include_str!("manifests/40-issuer.yaml.tera")),
        (GATEWAY, include_str!("manifests/50-gateway.yaml.tera")),
        (HUBBLE, include_str!("manifests/60-hubble.yaml.tera")),
    ])?;
    let document = |name: &str, body| Document { folder: FOLDER, name: name.to_owned(), body };
    let render = |name: &'static str, context: Context| -> Result<Document, tera::Error> {
        Ok(document(name, tera.render(name, &context)?))
    };
    let versions = &cluster.versions;
    let cilium = chart::chart("cilium", versions.cilium, pins, cilium::values(cluster));
    let mut documents: Vec<Document> =
        fetched::fetched(cluster, pins)?.into_iter().map(|(name, body)| document(name, body)).collect();
    documents.push(render(CILIUM, Context::from_serialize(&cilium)?)?);
    if cluster.has_certificates() {
        let values = cert_manager::values(cluster);
        let cert_manager = chart::chart(chart::CERT_MANAGER_CHART, versions.cert_manager, pins, values);
        documents.push(render(CERT_MANAGER, Context::from_serialize(&cert_manager)?)?);
    }
    let pools = tera.render(POOLS, &Context::from_serialize(&pools::pools(cluster))?)?;
    documents.push(match &cluster.bgp {
        Some(bgp) => {
            let sessions = tera.render(BGP, &Context::from_serialize(&bgp::bgp(cluster, bgp))?)?;
            document(BGP, format!("{}{pools}", sessions.trim_end()))
        }
        None => document(POOLS, format!("{POOLS_HEAD}{}", pools.trim_start_matches("\n---"))),
    });
    if cluster.security.network_policies {
        documents.push(render(POLICIES, Context::from_serialize(&policies::policies(cluster))?)?);
    }
    if cluster.has_certificates() {
        documents.push(render(ISSUER, Context::from_serialize(&issuer::issuers(cluster))?)?);
    }
    documents.push(render(GATEWAY, Context::from_serialize(&gateway::gateways(cluster))?)?);
    if let Some(hubble) = cluster.hubble.as_ref().and_then(|host| gateway::hubble(cluster, host)) {
        documents.push(render(HUBBLE, Context::from_serialize(&hubble)?)?);
    }
    let problems = check::check(cluster, &documents);
    if problems.is_empty() { Ok(documents) } else { Err(RenderError::Refused(problems)) }
}
