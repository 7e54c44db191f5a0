//! The files that Nix fetches by hash: the definitions of the Gateway API, and the charts whose hash is known.

use serde::Serialize;
use tera::Context;

use super::chart::{chart_file, charts};
use crate::config::cluster::{Cluster, Release};
use crate::config::diagnostics::{Mistake, Problems};
use crate::render::pins::{PinnedFile, Pins};
use crate::render::{RenderError, nix};

const CRDS: &str = "00-gateway-api-crds.nix";
const CHARTS: &str = "charts.nix";

#[derive(Debug, thiserror::Error)]
#[error("pins.json has no hashes of the Gateway API {release}, {channel} bundle")]
struct NoDefinitions {
    release: Release,
    channel: &'static str,
}

impl Mistake for NoDefinitions {
    fn hint(&self) -> Option<String> {
        Some("run `rk1 pin`, which looks them up".to_owned())
    }
}

/// Returns both files, by name.
pub(super) fn fetched(cluster: &Cluster, pins: &Pins) -> Result<[(&'static str, String); 2], RenderError> {
    #[derive(Serialize)]
    struct NamedChart<'a> {
        name: String,
        file: Option<&'a PinnedFile>,
    }
    let tera = nix::templates(&[
        (CRDS, include_str!("00-gateway-api-crds.nix.tera")),
        (CHARTS, include_str!("charts.nix.tera")),
    ])?;
    let versions = &cluster.versions;
    let files = pins.definitions(versions.gateway_api, versions.gateway_api_channel);
    if files.is_empty() {
        let mut problems = Problems::default();
        let channel = versions.gateway_api_channel.word();
        let mistake = NoDefinitions { release: versions.gateway_api, channel };
        problems.error(cluster.sections.versions, mistake);
        return Err(RenderError::Refused(problems));
    }
    let charts = charts(cluster).map(|(name, release)| NamedChart {
        name: chart_file(name, release),
        file: pins.chart(name, release),
    });
    let mut context = Context::new();
    context.insert("release", &versions.gateway_api.to_string());
    context.insert("channel", versions.gateway_api_channel.word());
    context.insert("cilium", &versions.cilium.to_string());
    context.insert("files", &files);
    context.insert("charts", &charts.collect::<Vec<_>>());
    Ok([(CRDS, nix::render(&tera, CRDS, &context)?), (CHARTS, nix::render(&tera, CHARTS, &context)?)])
}
