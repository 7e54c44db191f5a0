//! Asks Kubernetes about the objects that say how the cluster is, and why.

use std::collections::BTreeMap;

use futures_util::future::{OptionFuture, join_all};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::connection::{Connection, connect};
use super::objects;
use crate::config::cluster::{Cluster, Gateway};
use crate::operate::status::facts::{
    BgpFacts, CertificateLookups, Chart, GatewayLookups, KubernetesFacts, Lookup, PodFacts, Probed,
    ServiceFacts,
};
use crate::operate::status::scope::{ProbeOptions, Scope};
use crate::render::manifests::bgp::api_version;
use crate::render::manifests::gateway::{GATEWAY_NAMESPACE, certificate, service};
use crate::render::manifests::issuer::issuer_name;

/// The class that Cilium's chart makes.
const GATEWAY_CLASS: &str = "cilium";
/// The namespaces whose pods the cluster depends on.
const POD_NAMESPACES: [&str; 2] = ["kube-system", "cert-manager"];

/// Asks everything, of the API server that answers first.
pub(super) async fn ask(cluster: &Cluster, options: &ProbeOptions, scope: &Scope) -> Probed<KubernetesFacts> {
    let connection = connect(cluster, options).await?;
    let (pods, cilium_nodes, bgp, expiring) = tokio::join!(
        pods(&connection),
        connection.list("/apis/cilium.io/v2/ciliumnodes"),
        bgp(&connection, cluster),
        expiring(&connection),
    );
    let cilium_nodes = cilium_nodes.map(|found| found.map(|list| by_name(&list, objects::cilium_node)));
    let services = match scope {
        Scope::Cluster => Some(services(&connection, cluster, pods.as_deref().unwrap_or_default()).await),
        Scope::Nodes(_) => None,
    };
    let nodes = by_name(&connection.nodes, objects::node);
    Ok(KubernetesFacts { server: connection.server, nodes, expiring, pods, cilium_nodes, bgp, services })
}

async fn pods(connection: &Connection) -> Probed<Vec<PodFacts>> {
    let mut pods = Vec::new();
    for namespace in POD_NAMESPACES {
        let list = connection.list(&format!("/api/v1/namespaces/{namespace}/pods")).await?;
        pods.extend(list.found().into_iter().flatten().map(objects::pod));
    }
    // The newest first.
    pods.sort_by(|one, other| other.created.cmp(&one.created));
    Ok(pods)
}

/// k3s warns of its certificates by an event for the node (k3s-io/k3s, `pkg/certmonitor`).
async fn expiring(connection: &Connection) -> Probed<BTreeMap<String, Option<Timestamp>>> {
    let selector = "fieldSelector=reason%3DCertificateExpirationWarning";
    let events = connection.list(&format!("/api/v1/namespaces/default/events?{selector}")).await?;
    Ok(objects::newest_events(events.found().into_iter().flatten())
        .into_iter()
        .map(|(node, event)| (node, objects::first_time(&event.message)))
        .collect())
}

async fn bgp(connection: &Connection, cluster: &Cluster) -> BgpFacts {
    let version = api_version(cluster);
    let list = async |kinds: &str| connection.list(&format!("/apis/{version}/{kinds}")).await;
    let (peers, cluster_configs, peer_configs, advertisements) = tokio::join!(
        list("ciliumbgpnodeconfigs"),
        list("ciliumbgpclusterconfigs"),
        list("ciliumbgppeerconfigs"),
        list("ciliumbgpadvertisements"),
    );
    BgpFacts {
        peers: peers.map(|found| found.map(|list| by_name(&list, objects::peers))),
        cluster_configs: cluster_configs.map(|found| found.map(|list| by_name(&list, objects::conditions))),
        peer_configs: peer_configs.map(|found| found.map(|list| by_name(&list, objects::peer_config))),
        advertisements: advertisements
            .map(|found| found.map(|list| list.iter().map(objects::labels).collect())),
    }
}

const GATEWAY_API: &str = "/apis/gateway.networking.k8s.io/v1";

async fn services(connection: &Connection, cluster: &Cluster, pods: &[PodFacts]) -> ServiceFacts {
    let class_path = format!("{GATEWAY_API}/gatewayclasses/{GATEWAY_CLASS}");
    let gateways = join_all(cluster.gateways.iter().map(|gateway| gateway_lookups(connection, gateway)));
    let (class, gateways, charts, failed_addons) = tokio::join!(
        connection.get(&class_path),
        gateways,
        charts(connection, pods),
        failed_addons(connection),
    );
    ServiceFacts { charts, failed_addons, gateway_class: read(class, objects::conditions), gateways }
}

async fn gateway_lookups(connection: &Connection, gateway: &Gateway) -> GatewayLookups {
    let namespace = GATEWAY_NAMESPACE;
    let gateway_path = format!("{GATEWAY_API}/namespaces/{namespace}/gateways/{}", gateway.name);
    let service_path = format!("/api/v1/namespaces/{namespace}/services/{}", service(gateway));
    let certificate: OptionFuture<_> =
        issuer_name(gateway.issuer).map(|issuer| certificate_lookups(connection, gateway, issuer)).into();
    let (found, service, certificate) =
        tokio::join!(connection.get(&gateway_path), connection.get(&service_path), certificate);
    GatewayLookups {
        gateway: read(found, objects::gateway),
        service: read(service, objects::conditions),
        certificate,
    }
}

async fn certificate_lookups(connection: &Connection, gateway: &Gateway, issuer: &str) -> CertificateLookups {
    let (namespace, name) = (GATEWAY_NAMESPACE, certificate(gateway));
    let cert_manager = "/apis/cert-manager.io/v1";
    let acme = format!("/apis/acme.cert-manager.io/v1/namespaces/{namespace}");
    let issuer_path = format!("{cert_manager}/clusterissuers/{issuer}");
    let certificate_path = format!("{cert_manager}/namespaces/{namespace}/certificates/{name}");
    let request_path = format!("{cert_manager}/namespaces/{namespace}/certificaterequests");
    let (order_path, challenge_path) = (format!("{acme}/orders"), format!("{acme}/challenges"));
    let (issuer, certificate, requests, orders, challenges) = tokio::join!(
        connection.get(&issuer_path),
        connection.get(&certificate_path),
        connection.list(&request_path),
        connection.list(&order_path),
        connection.list(&challenge_path),
    );
    let newest = |list| newest(list, &name);
    CertificateLookups {
        issuer: read(issuer, objects::conditions),
        certificate: read(certificate, objects::certificate),
        request: newest(requests).map(|newest| newest.as_ref().map(objects::conditions)),
        order: newest(orders).map(|newest| newest.as_ref().map(objects::acme_step)),
        challenge: newest(challenges).map(|newest| newest.as_ref().map(objects::acme_step)),
    }
}

/// The charts that k3s installs, each with what its job says.
async fn charts(connection: &Connection, pods: &[PodFacts]) -> Probed<Lookup<BTreeMap<String, Chart>>> {
    let (charts, jobs) = tokio::join!(
        connection.list("/apis/helm.cattle.io/v1/namespaces/kube-system/helmcharts"),
        connection.list("/apis/batch/v1/namespaces/kube-system/jobs"),
    );
    let charts = match charts? {
        Lookup::Found(charts) => charts,
        Lookup::NoObject => return Ok(Lookup::NoObject),
        Lookup::NoKind => return Ok(Lookup::NoKind),
    };
    let jobs = by_name(jobs?.found().map(Vec::as_slice).unwrap_or_default(), objects::job);
    let mut read = by_name(&charts, |chart| objects::chart(chart, &jobs));
    for chart in read.values_mut().filter(|chart| chart.is_failing) {
        let Some(job) = &chart.job else { continue };
        if let Some(pod) = pods.iter().find(|pod| pod.job() == Some(job)) {
            chart.last_line = connection.last_log_line("kube-system", &pod.name).await;
        }
    }
    Ok(Lookup::Found(read))
}

/// k3s says by events whether it could apply an add-on. The newest one counts.
async fn failed_addons(connection: &Connection) -> Probed<BTreeMap<String, String>> {
    let selector = "fieldSelector=involvedObject.kind%3DAddon";
    let events = connection.list(&format!("/api/v1/namespaces/kube-system/events?{selector}")).await?;
    let newest = objects::newest_events(events.found().into_iter().flatten());
    Ok(newest
        .into_iter()
        .filter(|(_, event)| event.is_warning)
        .map(|(addon, event)| (addon, event.message))
        .collect())
}

fn read<T>(found: Probed<Lookup<Value>>, read: impl Fn(&Value) -> T) -> Probed<Lookup<T>> {
    found.map(|found| found.map(|object| read(&object)))
}

fn by_name<T>(objects: &[Value], read: impl Fn(&Value) -> T) -> BTreeMap<String, T> {
    objects.iter().map(|object| (objects::name(object).to_owned(), read(object))).collect()
}

/// Returns the newest object of a certificate, whose name is in front of those of all that is made for it.
///
/// Times of Kubernetes are in UTC and without fractions, so that their texts are in their order.
fn newest(list: Probed<Lookup<Vec<Value>>>, certificate: &str) -> Probed<Option<Value>> {
    let list = list?;
    let all = list.found().into_iter().flatten();
    let all = all.filter(|object| objects::name(object).starts_with(certificate));
    Ok(all.max_by(|one, other| objects::created(one).cmp(objects::created(other))).cloned())
}
