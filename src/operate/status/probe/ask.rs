//! Asks everything at once.

use futures_util::future::{OptionFuture, join_all};

use super::{bird, frr, kubernetes, node, page, routeros};
use crate::config::cluster::{Cluster, Router, RouterAccess};
use crate::config::platforms::{Shell, StatusSource};
use crate::operate::status::error::ProbeError;
use crate::operate::status::facts::{Facts, Probed, RouterFacts};
use crate::operate::status::scope::{Access, Scope};

pub(in crate::operate::status) async fn ask(cluster: &Cluster, access: &Access, scope: &Scope) -> Facts {
    let asked = cluster.nodes.iter().filter(|node| scope.has(&node.name));
    let nodes = join_all(asked.map(|node| node::ask(cluster, node, access.limit)));
    let routers = join_all(cluster.routers().iter().map(|router| ask_router(cluster, router, access)));
    let kubernetes = kubernetes::ask(cluster, access, scope);
    let host = cluster.hubble.as_ref().filter(|_| *scope == Scope::Cluster);
    let host = host.and_then(|host| Some((host, cluster.serving(host)?.0)));
    let page: OptionFuture<_> = host.map(|(host, gateway)| page::ask(host, gateway, access.limit)).into();
    let (nodes, routers, kubernetes, page) = tokio::join!(nodes, routers, kubernetes, page);
    Facts { nodes, routers, kubernetes, page }
}

/// Returns `None` where the router is not to be asked.
async fn ask_router(cluster: &Cluster, router: &Router, access: &Access) -> Option<Probed<RouterFacts>> {
    if router.access == RouterAccess::Off {
        return None;
    }
    let limit = access.limit;
    // One limit for all questions to a router.
    let answer = tokio::time::timeout(limit, router_facts(cluster, router, access)).await;
    Some(answer.unwrap_or(Err(ProbeError::Late { limit })))
}

async fn router_facts(cluster: &Cluster, router: &Router, access: &Access) -> Probed<RouterFacts> {
    let (gateways, limit) = (
        cluster.gateways.iter().flat_map(|gateway| gateway.address.each()).collect::<Vec<_>>(),
        access.limit,
    );
    match (&router.access, router.platform.status) {
        (RouterAccess::Off | RouterAccess::NoUser, _) => {
            Err(ProbeError::skipped("`user` is missing in cluster.toml"))
        }
        (RouterAccess::Rest(rest), _) => {
            let password = routeros::password(&router.name, rest, &cluster.secrets, &access.folder)?;
            routeros::ask(rest, &password, &gateways, limit).await
        }
        (RouterAccess::Ssh(destination), StatusSource::Ssh { shell: Shell::Birdc, .. }) => {
            bird::ask(destination, &gateways, limit).await
        }
        (RouterAccess::Ssh(destination), _) => frr::ask(destination, &gateways, limit).await,
    }
}
