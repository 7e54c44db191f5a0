//! Asks Kubernetes: which API server, by which kubeconfig, and about which objects.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use http::{Request, Response};
use http_body_util::Limited;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams};
use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Api, Client, Config};
use serde_json::Value;
use tower::util::{MapRequestLayer, MapResponseLayer};

use super::{kubeconfig, objects, script_output};
use crate::causes::{causes, innermost};
use crate::certificate::fault;
use crate::config::cluster::{Cluster, Label};
use crate::config::written::Role;
use crate::operate::status::Access;
use crate::operate::status::facts::{Answer, KubernetesFacts};
use crate::operate::status::failure::ProbeError;

/// Where a server keeps the administrator's kubeconfig.
const KUBECONFIG: &str = "/etc/rancher/k3s/k3s.yaml";
/// The API server's port (`modules/firewall.nix`).
const PORT: u16 = 6443;

/// Bytes of one answer of the API server. A pod is 10 kB or so in its words, and lists of pods are asked for in parts.
const BODY_LIMIT: usize = 16 << 20;

/// What is rendered into `manifests/`.
const GATEWAY_CLASS: &str = "cilium";
const GATEWAY: (&str, &str) = ("gateway", "shared");
const CERTIFICATE: (&str, &str) = ("gateway", "shared-gateway-certificate");

/// An API server that has answered.
pub struct Connection {
    pub client: Client,
    /// Its address.
    pub server: String,
    nodes: Vec<DynamicObject>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Connection").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Connection {
    /// Whether Kubernetes counts a node as ready. One that it does not know is not.
    #[must_use]
    pub fn is_ready(&self, node: &Label) -> bool {
        let named = self.nodes.iter().filter(|object| object.metadata.name.as_deref() == Some(node.as_str()));
        named.filter_map(|object| objects::node(&object.data).ready).any(|ready| ready.is_true)
    }
}

/// Finds an API server that lists its nodes: by the file that `access` names, by `KUBECONFIG`, or by what the servers
/// themselves have, whichever of them answers first.
pub async fn connect(cluster: &Cluster, access: &Access) -> Result<Connection, ProbeError> {
    // Fails only where somebody has chosen one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let given = match &access.kubeconfig {
        Some(file) => Some(Kubeconfig::read_from(file).map_err(unreadable)?),
        None => Kubeconfig::from_env().map_err(unreadable)?,
    };
    if let Some(kubeconfig) = given {
        return try_connect(kubeconfig, access.limit).await;
    }
    let servers = cluster.nodes.iter().filter(|node| node.role == Role::Server);
    let mut attempts: FuturesUnordered<_> = servers
        .map(|node| node.address.v4().addr())
        .enumerate()
        .map(|(number, server)| async move { (number, connect_by(server, access.limit).await) })
        .collect();
    let mut failures = BTreeMap::new();
    while let Some((number, attempt)) = attempts.next().await {
        match attempt {
            Ok(connection) => return Ok(connection),
            Err(failure) => failures.insert(number, failure),
        };
    }
    // What the first one says stands for all.
    let first = failures.into_values().next();
    Err(first.unwrap_or_else(|| ProbeError::NotAsked { reason: "there is no server".to_owned() }))
}

/// The text of a kubeconfig is not repeated: keys stand in it.
fn unreadable(error: KubeconfigError) -> ProbeError {
    let reason = match error {
        KubeconfigError::Parse(_) => "the file is no kubeconfig".to_owned(),
        KubeconfigError::ReadConfig(error, file) => {
            format!("`{}` cannot be read: {}", file.display(), innermost(&error))
        }
        error => error.to_string(),
    };
    ProbeError::NotAsked { reason }
}

async fn connect_by(server: Ipv4Addr, limit: Duration) -> Result<Connection, ProbeError> {
    let kubeconfig = fetch(server, limit).await?;
    try_connect(kubeconfig, limit).await
}

/// The kubeconfig of a server. It stays in memory.
async fn fetch(server: Ipv4Addr, limit: Duration) -> Result<Kubeconfig, ProbeError> {
    let text = script_output(&format!("root@{server}"), &format!("exec cat {KUBECONFIG}\n"), limit).await?;
    kubeconfig::of_node(&text, server.into(), PORT)
        .map_err(|fault| ProbeError::unexpected(format!("{KUBECONFIG} of {server}: {fault}")))
}

async fn try_connect(kubeconfig: Kubeconfig, limit: Duration) -> Result<Connection, ProbeError> {
    let mut clusters = kubeconfig.clusters.iter().filter_map(|named| named.cluster.as_ref());
    let has_proxy = clusters.any(|cluster| cluster.proxy_url.is_some());
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let mut config = config.map_err(unreadable)?;
    if !has_proxy {
        // The environment's proxies are for the web, not for one's own network.
        config.proxy_url = None;
    }
    // Each request has the time limit of all probes.
    (config.connect_timeout, config.read_timeout) = (None, None);
    // The client would repeat a refused request for minutes: whoever may try again does so by itself.
    config.default_retry = false;
    let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
    let client = ClientBuilder::try_from(config)
        .map_err(|error| ProbeError::NotAsked { reason: innermost(&error) })?
        .with_layer(&MapResponseLayer::new(bound))
        .with_layer(&MapRequestLayer::new(log))
        .build();
    let nodes = list(&client, "v1", "Node", limit).await.map_err(|error| match error {
        // Which one it was matters where there are several.
        ProbeError::Unreachable { reason } => {
            ProbeError::Unreachable { reason: format!("{server}: {reason}") }
        }
        other => other,
    })?;
    Ok(Connection { client, server, nodes })
}

fn log<B>(request: Request<B>) -> Request<B> {
    log::debug!("{} {} (Kubernetes)", request.method(), request.uri());
    request
}

/// Ends an answer that is longer than any should be. Nothing of the API server's is read past this.
fn bound<B>(response: Response<B>) -> Response<Limited<B>> {
    response.map(|body| Limited::new(body, BODY_LIMIT))
}

/// Everything that is asked about, where one API server has answered.
pub(super) async fn ask(cluster: &Cluster, access: &Access) -> Answer<KubernetesFacts> {
    let Connection { client, server, nodes } = connect(cluster, access).await?;
    let limit = access.limit;
    let bgp = if cluster.versions.cilium.minor < 18 { "cilium.io/v2alpha1" } else { "cilium.io/v2" };
    let (peers, gateway_class, gateway, certificate) = tokio::join!(
        list(&client, bgp, "CiliumBGPNodeConfig", limit),
        get(&client, "gateway.networking.k8s.io/v1", "GatewayClass", None, GATEWAY_CLASS, limit),
        get(&client, "gateway.networking.k8s.io/v1", "Gateway", Some(GATEWAY.0), GATEWAY.1, limit),
        get(&client, "cert-manager.io/v1", "Certificate", Some(CERTIFICATE.0), CERTIFICATE.1, limit),
    );
    Ok(KubernetesFacts {
        server,
        nodes: by_name(nodes, objects::node),
        peers: peers.map(|configs| by_name(configs, objects::peers)),
        gateway_class: gateway_class.map(|found| found.as_ref().map(objects::conditions)),
        gateway: gateway.map(|found| found.as_ref().map(objects::gateway)),
        certificate: certificate.map(|found| found.as_ref().map(objects::certificate)),
    })
}

fn by_name<T>(objects: Vec<DynamicObject>, read: impl Fn(&Value) -> T) -> BTreeMap<String, T> {
    let named = objects.into_iter().filter_map(|object| Some((object.metadata.name?, read(&object.data))));
    named.collect()
}

fn resource(api_version: &str, kind: &str) -> ApiResource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind))
}

/// All objects of a kind. None where the cluster does not know the kind.
async fn list(
    client: &Client,
    api_version: &str,
    kind: &str,
    limit: Duration,
) -> Result<Vec<DynamicObject>, ProbeError> {
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource(api_version, kind));
    let parameters = ListParams::default();
    let listed = tokio::time::timeout(limit, api.list(&parameters)).await;
    match listed.map_err(|_| ProbeError::Late { limit })? {
        Ok(list) => Ok(list.items),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(Vec::new()),
        Err(error) => Err(failure(&error, "the API server")),
    }
}

/// An object, if there is one of this name.
async fn get(
    client: &Client,
    api_version: &str,
    kind: &str,
    namespace: Option<&str>,
    name: &str,
    limit: Duration,
) -> Answer<Option<Value>> {
    let resource = resource(api_version, kind);
    let api: Api<DynamicObject> = match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    let found = tokio::time::timeout(limit, api.get_opt(name)).await;
    let found = found.map_err(|_| ProbeError::Late { limit })?;
    found.map(|object| object.map(|object| object.data)).map_err(|error| failure(&error, "the API server"))
}

fn failure(error: &kube::Error, server: &str) -> ProbeError {
    if let kube::Error::Api(status) = error {
        let reason = format!("{} {}", status.code, status.reason);
        return match status.code {
            401 | 403 => ProbeError::Denied { reason },
            _ => ProbeError::unexpected(format!("the API server answers {reason}")),
        };
    }
    let tls = causes(error).find_map(|cause| cause.downcast_ref());
    if let Some(tls) = tls.filter(|tls| matches!(tls, rustls::Error::InvalidCertificate(_))) {
        return ProbeError::Untrusted { fault: fault(tls, server), fingerprint: None };
    }
    ProbeError::Unreachable { reason: innermost(error) }
}
