//! Asks for Hubble's page as a browser would, but at the gateway's address whatever DNS says.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use url::Url;

use super::web::Web;
use crate::config::cluster::Domain;
use crate::operate::status::error::ProbeError;
use crate::operate::status::facts::{PageFacts, Probed};

const HTTPS: u16 = 443;

pub(super) async fn ask(host: &Domain, gateway: Ipv4Addr, limit: Duration) -> Probed<PageFacts> {
    let web = Web::at(limit, host.as_str(), &[SocketAddr::from((gateway, HTTPS))])?;
    let url = Url::parse(&format!("https://{host}/"));
    let url = url.map_err(|error| ProbeError::skipped(error.to_string()))?;
    let page = web.get(url, |request| request).await?;
    Ok(PageFacts { status: page.status })
}
