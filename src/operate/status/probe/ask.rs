//! Asks everything at once.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::{OptionFuture, join_all};
use url::Url;

use super::web::Web;
use super::{bird, frr, kubernetes, node, routeros};
use crate::config::cluster::{Cluster, Domain, Gateway, Router, RouterAccess};
use crate::config::platforms::{RoutingShell, StatusSource};
use crate::operate::status::error::ProbeError;
use crate::operate::status::facts::{Facts, PageFacts, Probed, RouterFacts};
use crate::operate::status::scope::{ProbeOptions, Scope};

pub(in crate::operate::status) async fn ask(
    cluster: &Cluster,
    options: &ProbeOptions,
    scope: &Scope,
) -> Facts {
    let asked = cluster.nodes.iter().filter(|node| scope.has(&node.name));
    let nodes = join_all(asked.map(|node| async move {
        // Nobody logs in to a machine that joins by itself.
        if node.is_host() { Some(node::ask(cluster, node, options).await) } else { None }
    }));
    let routers = join_all(cluster.routers().iter().map(|router| ask_router(cluster, router, options)));
    let kubernetes = kubernetes::ask(cluster, options, scope);
    let host = cluster.hubble.as_ref().filter(|_| *scope == Scope::Cluster);
    let host = host.and_then(|host| Some((host, cluster.serving(host)?.0)));
    let page: OptionFuture<_> = host.map(|(host, gateway)| hubble_page(host, gateway, options.limit)).into();
    let (nodes, routers, kubernetes, page) = tokio::join!(nodes, routers, kubernetes, page);
    Facts { nodes, routers, kubernetes, page }
}

/// Returns `None` where the router is not to be asked.
async fn ask_router(
    cluster: &Cluster,
    router: &Router,
    options: &ProbeOptions,
) -> Option<Probed<RouterFacts>> {
    if router.access == RouterAccess::Off {
        return None;
    }
    let limit = options.limit;
    // One limit for all questions to a router.
    let answer = tokio::time::timeout(limit, router_facts(cluster, router, options)).await;
    Some(answer.unwrap_or(Err(ProbeError::Late { limit })))
}

async fn router_facts(cluster: &Cluster, router: &Router, options: &ProbeOptions) -> Probed<RouterFacts> {
    let (gateways, limit) = (
        cluster.gateways.iter().flat_map(|gateway| gateway.address.each()).collect::<Vec<_>>(),
        options.limit,
    );
    match (&router.access, router.platform.status) {
        (RouterAccess::Off | RouterAccess::NoUser, _) => {
            Err(ProbeError::skipped("`user` is missing in cluster.toml"))
        }
        (RouterAccess::Rest(rest), _) => {
            let password = routeros::password(&router.name, rest, &cluster.secrets, &options.folder).await?;
            routeros::ask(rest, &password, &gateways, limit).await
        }
        (RouterAccess::Ssh(destination), StatusSource::Ssh { shell: RoutingShell::Birdc, .. }) => {
            bird::ask(destination, &gateways, limit).await
        }
        (RouterAccess::Ssh(destination), _) => frr::ask(destination, &gateways, limit).await,
    }
}

/// Asks for Hubble's page as a browser would, but at the gateway's address whatever DNS says.
async fn hubble_page(host: &Domain, gateway: &Gateway, limit: Duration) -> Probed<PageFacts> {
    let (scheme, port) = if gateway.has_certificate() { ("https", 443) } else { ("http", 80) };
    let web = Web::at(limit, host.as_str(), &[SocketAddr::from((gateway.address.v4(), port))])?;
    let url = Url::parse(&format!("{scheme}://{host}/"));
    let url = url.map_err(|error| ProbeError::skipped(error.to_string()))?;
    let page = web.get(url, |request| request).await?;
    Ok(PageFacts { status: page.status })
}
