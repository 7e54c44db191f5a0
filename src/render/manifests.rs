//! `manifests/`: what runs on top of k3s, a file for each concern in the order in which they are applied.
//!
//! k3s applies the files by name every 15 seconds, and each anew until it succeeds (k3s-io/k3s,
//! pkg/deploy/controller.go). Up to its first dot a file's name is that of its add-on, so no two share that part.

mod cilium;
mod validation;

use std::net::IpAddr;

use serde::Serialize;
use serde_json::json;
use tera::Context;

use super::{RenderError, nix};
use crate::cluster::{AzureDns, Cluster, Release, ipv6_session};
use crate::cluster_file::Issuer;
use crate::document::Document;
use crate::pins::{PinnedFile, Pins};
use crate::problem::{Mistake, Problems};
use crate::yaml;

pub(super) const FOLDER: &str = "manifests";
pub(super) const CILIUM: &str = "10-cilium.yaml";
pub(super) const CERT_MANAGER: &str = "20-cert-manager.yaml";
pub(super) const BGP: &str = "30-bgp.yaml";
pub(super) const ISSUER: &str = "40-issuer.yaml";
pub(super) const GATEWAY: &str = "50-gateway.yaml";
pub(super) const HUBBLE: &str = "60-hubble.yaml";

/// The shared gateway, to which routes of any namespace attach.
const GATEWAY_NAME: &str = "shared";
const GATEWAY_NAMESPACE: &str = "gateway";
const HTTP_LISTENER: &str = "http";
const HTTPS_LISTENER: &str = "https";
/// By this label the sessions find what they announce. As in the posts.
const ADVERTISEMENT_LABEL: (&str, &str) = ("advertise", "bgp");

#[derive(Serialize)]
struct Chart<'a> {
    release: String,
    /// Name of its file among the charts that a server hands out; nothing if the cluster fetches it.
    file: Option<String>,
    repository: &'a str,
    values: String,
}

#[derive(Serialize)]
struct Bgp<'a> {
    api_version: &'static str,
    cluster: &'a str,
    asn: u32,
    sessions: Vec<Session>,
    hold_time: u16,
    keepalive: u16,
    graceful_restart: u16,
    label_key: &'static str,
    label_value: &'static str,
    /// A range for each address family.
    pools: Vec<String>,
}

/// One of each node's sessions. Each carries the routes of the family that it is spoken over: Cilium names as their next
/// hop the address by which it reaches the router (cilium/cilium, `pkg/bgp/types/util.go`).
#[derive(Serialize)]
struct Session {
    name: String,
    /// What it is a session with.
    peer: String,
    asn: u32,
    address: String,
    family: &'static str,
    secret: Option<String>,
    password_file: Option<String>,
}

#[derive(Serialize)]
struct Issuers<'a> {
    services: [AcmeService; 2],
    email: Option<&'a str>,
    azure: Azure<'a>,
}

/// A service of Let's Encrypt (<https://letsencrypt.org/docs/acme-protocol-updates/>).
#[derive(Serialize)]
struct AcmeService {
    name: &'static str,
    server: &'static str,
}

#[derive(Serialize)]
struct Azure<'a> {
    zone: &'a str,
    environment: &'static str,
    subscription: &'a str,
    resource_group: &'a str,
    tenant: &'a str,
    client: &'a str,
    secret: String,
    secret_key: &'static str,
    secret_file: String,
}

#[derive(Serialize)]
struct Gateway<'a> {
    namespace: &'static str,
    name: &'static str,
    http: &'static str,
    https: &'static str,
    issuer: &'static str,
    domain: &'a str,
    /// One for each address family.
    addresses: Vec<String>,
    /// Whether Cilium reads the gateway's own list of addresses: since 1.17.
    has_addresses: bool,
}

#[derive(Serialize)]
struct Hubble<'a> {
    namespace: &'static str,
    name: &'static str,
    https: &'static str,
    host: &'a str,
}

#[derive(Debug, thiserror::Error)]
#[error("pins.json has no hashes of the Gateway API {release}, {channel} bundle")]
struct NoDefinitions {
    release: Release,
    channel: &'static str,
}

impl Mistake for NoDefinitions {
    fn hint(&self) -> Option<String> {
        Some("`rk1 pin` looks them up".to_owned())
    }
}

/// A chart that nobody has looked up: it is rendered, and what the cluster fetches is not checked.
#[derive(Debug, thiserror::Error)]
#[error("pins.json has no hash of {chart} {release}: the cluster will fetch the chart itself, unchecked")]
struct Unpinned {
    chart: &'static str,
    release: Release,
}

impl Mistake for Unpinned {
    fn hint(&self) -> Option<String> {
        Some("`rk1 pin` looks it up; then render anew".to_owned())
    }
}

/// The charts of a cluster, by name.
fn charts(cluster: &Cluster) -> [(&'static str, Release); 2] {
    [("cert-manager", cluster.versions.cert_manager), ("cilium", cluster.versions.cilium)]
}

/// What is rendered all the same, but worth knowing.
pub(super) fn warnings(cluster: &Cluster, pins: &Pins) -> Problems {
    let mut problems = Problems::default();
    for (chart, release) in charts(cluster) {
        if pins.chart(chart, release).is_none() {
            problems.warning(cluster.sections.versions, Unpinned { chart, release });
        }
    }
    problems
}

/// The files and what they hold. `pins` says which charts and definitions are fetched by hash.
pub(super) fn documents(cluster: &Cluster, pins: &Pins) -> Result<Vec<Document>, RenderError> {
    let tera = yaml::templates(&[
        (CILIUM, include_str!("manifests/10-cilium.yaml.tera")),
        (CERT_MANAGER, include_str!("manifests/20-cert-manager.yaml.tera")),
        (BGP, include_str!("manifests/30-bgp.yaml.tera")),
        (ISSUER, include_str!("manifests/40-issuer.yaml.tera")),
        (GATEWAY, include_str!("manifests/50-gateway.yaml.tera")),
        (HUBBLE, include_str!("manifests/60-hubble.yaml.tera")),
    ])?;
    let document = |name: &str, body| Document { folder: FOLDER, name: name.to_owned(), body };
    let render = |name: &'static str, context: Context| -> Result<Document, tera::Error> {
        Ok(document(name, tera.render(name, &context)?))
    };
    let versions = &cluster.versions;
    let cilium = chart("cilium", versions.cilium, pins, cilium::values(cluster));
    let cert_manager = chart("cert-manager", versions.cert_manager, pins, cert_manager_values());
    let mut documents: Vec<Document> =
        fetched(cluster, pins)?.into_iter().map(|(name, body)| document(name, body)).collect();
    documents.extend([
        render(CILIUM, Context::from_serialize(&cilium)?)?,
        render(CERT_MANAGER, Context::from_serialize(&cert_manager)?)?,
        render(BGP, Context::from_serialize(&bgp(cluster))?)?,
        render(ISSUER, Context::from_serialize(&issuers(cluster))?)?,
        render(GATEWAY, Context::from_serialize(&gateway(cluster))?)?,
    ]);
    if let Some(host) = &cluster.hubble {
        let hubble = Hubble {
            namespace: GATEWAY_NAMESPACE,
            name: GATEWAY_NAME,
            https: HTTPS_LISTENER,
            host: host.as_str(),
        };
        documents.push(render(HUBBLE, Context::from_serialize(&hubble)?)?);
    }
    let problems = validation::validate(cluster, &documents);
    if problems.is_empty() { Ok(documents) } else { Err(RenderError::Refused(problems)) }
}

/// What Nix fetches: the definitions of the Gateway API, and the charts, as far as they have a hash.
fn fetched(cluster: &Cluster, pins: &Pins) -> Result<[(&'static str, String); 2], RenderError> {
    #[derive(Serialize)]
    struct NamedChart<'a> {
        name: String,
        file: Option<&'a PinnedFile>,
    }
    let tera = nix::templates(&[
        (CRDS, include_str!("manifests/00-gateway-api-crds.nix.tera")),
        (CHARTS, include_str!("manifests/charts.nix.tera")),
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
    context.insert("charts", &charts);
    Ok([(CRDS, nix::render(&tera, CRDS, &context)?), (CHARTS, nix::render(&tera, CHARTS, &context)?)])
}

const CRDS: &str = "00-gateway-api-crds.nix";
const CHARTS: &str = "charts.nix";

/// k3s upgrades a release only when its `HelmChart` changes, so the chart's file is named by its version.
fn chart_file(name: &str, release: Release) -> String {
    format!("{name}-{release}")
}

fn chart<'a>(name: &str, release: Release, pins: &'a Pins, values: String) -> Chart<'a> {
    Chart {
        release: release.to_string(),
        file: pins.chart(name, release).map(|_| chart_file(name, release)),
        repository: pins.charts.get(name).map(|chart| chart.repository.as_str()).unwrap_or_default(),
        values,
    }
}

/// Values of cert-manager's chart.
fn cert_manager_values() -> String {
    let values = json!({
        "config": {
            "apiVersion": "controller.config.cert-manager.io/v1alpha1",
            "gatewayAPI": { "enabled": true },
            "kind": "ControllerConfiguration",
        },
        "crds": { "enabled": true },
        "dns01RecursiveNameservers": "1.1.1.1:53,1.0.0.1:53",
        "dns01RecursiveNameserversOnly": true,
    });
    let comments: &[yaml::Comment<'_>] = &[
        (&["config", "gatewayAPI"], "Certificates for gateways' listeners, asked for by an annotation."),
        (
            &["dns01RecursiveNameservers"],
            "Before it asks for a certificate, cert-manager looks whether its record can be seen from outside. The\n\
             router's own view of the domain would mislead it.",
        ),
    ];
    yaml::block(&values, comments, VALUES_INDENT)
}

/// Where `valuesContent` stands in a `HelmChart`, and one step in.
const VALUES_INDENT: usize = 4;

fn bgp(cluster: &Cluster) -> Bgp<'_> {
    let bgp = &cluster.bgp;
    Bgp {
        // Cilium 1.18 brought v2 and deprecated v2alpha1.
        api_version: if cluster.versions.cilium.minor < 18 { "cilium.io/v2alpha1" } else { "cilium.io/v2" },
        cluster: cluster.name.as_str(),
        asn: bgp.asn,
        sessions: sessions(cluster),
        hold_time: bgp.hold_time,
        keepalive: bgp.keepalive,
        graceful_restart: bgp.graceful_restart,
        label_key: ADVERTISEMENT_LABEL.0,
        label_value: ADVERTISEMENT_LABEL.1,
        pools: both(&bgp.pool.value, cluster.ipv6.as_ref().map(|ipv6| &ipv6.pool)),
    }
}

/// The sessions with each router: over IPv4, and in a dual-stack cluster over IPv6 too.
fn sessions(cluster: &Cluster) -> Vec<Session> {
    let mut sessions = Vec::new();
    for router in &cluster.bgp.routers {
        let session = |name: String, peer, address: IpAddr| Session {
            name,
            peer,
            asn: router.asn,
            address: address.to_string(),
            family: if address.is_ipv4() { "ipv4" } else { "ipv6" },
            secret: router.kubernetes_secret().map(|secret| secret.name),
            password_file: router.password.as_ref().map(crate::cluster::SecretName::path_on_node),
        };
        let name = &router.name;
        sessions.push(session(name.to_string(), name.to_string(), router.address.into()));
        if let Some(address) = cluster.ipv6.as_ref().and_then(|ipv6| ipv6.routers.get(name)) {
            sessions.push(session(
                ipv6_session(name.as_str()),
                format!("{name} over IPv6"),
                (*address).into(),
            ));
        }
    }
    sessions
}

/// What there is of both address families.
fn both(ipv4: &impl ToString, ipv6: Option<&impl ToString>) -> Vec<String> {
    std::iter::once(ipv4.to_string()).chain(ipv6.map(ToString::to_string)).collect()
}

fn issuers(cluster: &Cluster) -> Issuers<'_> {
    Issuers {
        services: [
            AcmeService {
                name: issuer_name(Issuer::Staging),
                server: "https://acme-staging-v02.api.letsencrypt.org/directory",
            },
            AcmeService {
                name: issuer_name(Issuer::Production),
                server: "https://acme-v02.api.letsencrypt.org/directory",
            },
        ],
        email: cluster.certificates.email.as_deref(),
        azure: azure(&cluster.certificates.azure_dns),
    }
}

fn issuer_name(issuer: Issuer) -> &'static str {
    match issuer {
        Issuer::Staging => "letsencrypt-staging",
        Issuer::Production => "letsencrypt-production",
    }
}

fn azure(azure_dns: &AzureDns) -> Azure<'_> {
    let secret = azure_dns.kubernetes_secret();
    Azure {
        zone: azure_dns.zone.as_str(),
        environment: azure_dns.environment.word(),
        subscription: &azure_dns.subscription_id,
        resource_group: &azure_dns.resource_group,
        tenant: &azure_dns.tenant_id,
        client: &azure_dns.client_id,
        secret_file: secret.from.path_on_node(),
        secret_key: secret.key,
        secret: secret.name,
    }
}

fn gateway(cluster: &Cluster) -> Gateway<'_> {
    Gateway {
        namespace: GATEWAY_NAMESPACE,
        name: GATEWAY_NAME,
        http: HTTP_LISTENER,
        https: HTTPS_LISTENER,
        issuer: issuer_name(cluster.certificates.issuer),
        domain: cluster.gateway.domain.as_str(),
        addresses: both(&cluster.gateway.address, cluster.ipv6.as_ref().map(|ipv6| &ipv6.shared_gateway)),
        has_addresses: cluster.versions.cilium.minor >= 17,
    }
}
