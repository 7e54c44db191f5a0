//! Asks for Hubble's page as a browser would, but at the gateway's address whatever DNS says.

use std::net::SocketAddr;
use std::time::Duration;

use url::Url;

use super::web::Web;
use crate::config::cluster::{Domain, Gateway};
use crate::operate::status::error::ProbeError;
use crate::operate::status::facts::{PageFacts, Probed};

pub(super) async fn ask(host: &Domain, gateway: &Gateway, limit: Duration) -> Probed<PageFacts> {
    let (scheme, port) = if gateway.has_certificate() { ("https", 443) } else { ("http", 80) };
    let web = Web::at(limit, host.as_str(), &[SocketAddr::from((gateway.address.v4(), port))])?;
    let url = Url::parse(&format!("{scheme}://{host}/"));
    let url = url.map_err(|error| ProbeError::skipped(error.to_string()))?;
    let page = web.get(url, |request| request).await?;
    Ok(PageFacts { status: page.status })
}
