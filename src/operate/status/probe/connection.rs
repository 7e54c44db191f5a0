//! Finds an API server that answers, and reads from it.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kube::client::{Body, ClientBuilder};
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use serde_json::Value;
use tower::util::{MapRequestLayer, MapResponseLayer};

use super::script::script_output;
use super::{kubeconfig, objects};
use crate::common::causes::{causes, innermost};
use crate::common::certificate::fault;
use crate::common::ssh::Destination;
use crate::config::cluster::{Cluster, Label, Node};
use crate::config::written::Role;
use crate::operate::status::error::ProbeError;
use crate::operate::status::facts::{Lookup, Probed};
use crate::operate::status::scope::ProbeOptions;

/// The administrator's kubeconfig on a server.
const KUBECONFIG: &str = "/etc/rancher/k3s/k3s.yaml";
/// The API server's port (`modules/firewall.nix`).
const PORT: u16 = 6443;

/// Bytes of one answer of the API server. Five hundred pods of 10 kB each are 5 MB.
const BODY_LIMIT: usize = 16 << 20;
/// The most objects that one list may have.
const LIST_LIMIT: usize = 500;

/// A connection to an API server that has answered.
pub struct Connection {
    pub client: Client,
    /// Its address.
    pub server: String,
    pub(super) nodes: Vec<Value>,
    limit: Duration,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Connection").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Connection {
    /// Returns whether Kubernetes counts a node as ready. A node that it does not know is not.
    #[must_use]
    pub fn is_ready(&self, node: &Label) -> bool {
        let named = self.nodes.iter().filter(|object| objects::name(object) == node.as_str());
        named.filter_map(|object| objects::node(object).conditions.remove("Ready")).any(|ready| ready.is_true)
    }

    /// Reads an object.
    pub(super) async fn get(&self, path: &str) -> Probed<Lookup<Value>> {
        let (status, body) = self.fetch(path).await?;
        let json = serde_json::from_slice::<Value>(&body).ok();
        match status {
            StatusCode::OK => json
                .map(Lookup::Found)
                .ok_or_else(|| ProbeError::unexpected("the API server answers no JSON")),
            // Only the handler of a kind answers in JSON. A path that no kind has is `404 page not found`.
            StatusCode::NOT_FOUND => Ok(match json {
                Some(json) if json["kind"] == "Status" => Lookup::NoObject,
                _ => Lookup::NoKind,
            }),
            status => Err(refusal(status, json.as_ref())),
        }
    }

    /// Reads the objects of a kind: `path` may have a query.
    pub(super) async fn list(&self, path: &str) -> Probed<Lookup<Vec<Value>>> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let list = self.get(&format!("{path}{separator}limit={LIST_LIMIT}")).await?;
        Ok(list.map(|mut list| match list["items"].take() {
            Value::Array(items) => items,
            _ => Vec::new(),
        }))
    }

    /// Reads the last line of the log of a pod. `None` where there is none that can be read.
    pub(super) async fn last_log_line(&self, namespace: &str, pod: &str) -> Option<String> {
        // The API server chose the name.
        let is_name = !pod.is_empty()
            && pod
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte));
        if !is_name {
            return None;
        }
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/log?tailLines=20&limitBytes=16384");
        let (status, body) = self.fetch(&path).await.ok()?;
        let text = String::from_utf8_lossy(&body).into_owned();
        let last = text.lines().rev().map(str::trim).find(|line| !line.is_empty());
        last.filter(|_| status.is_success()).map(str::to_owned)
    }

    async fn fetch(&self, path: &str) -> Probed<(StatusCode, Vec<u8>)> {
        let limit = self.limit;
        tokio::time::timeout(limit, fetch(&self.client, path))
            .await
            .unwrap_or(Err(ProbeError::Late { limit }))
    }
}

async fn fetch(client: &Client, path: &str) -> Probed<(StatusCode, Vec<u8>)> {
    let request = Request::get(path).body(Body::empty());
    let request = request.map_err(|error| ProbeError::skipped(error.to_string()))?;
    let answer = client.send(request).await.map_err(|error| failure(&error))?;
    let status = answer.status();
    let body = answer.into_body().collect().await.map_err(|error| failure(&error))?;
    Ok((status, body.to_bytes().to_vec()))
}

/// Finds an API server that lists its nodes: by the kubeconfig that `options` or `KUBECONFIG` names, else by those of the
/// servers, whichever answers first.
pub async fn connect(cluster: &Cluster, options: &ProbeOptions) -> Result<Connection, ProbeError> {
    // Fails only where somebody has chosen one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let given = match &options.kubeconfig {
        Some(file) => Some(Kubeconfig::read_from(file).map_err(unreadable)?),
        None => Kubeconfig::from_env().map_err(unreadable)?,
    };
    if let Some(kubeconfig) = given {
        return try_connect(kubeconfig, options.limit).await;
    }
    let servers = cluster.nodes.iter().filter(|node| node.role == Role::Server);
    let mut attempts: FuturesUnordered<_> = servers
        .enumerate()
        .map(|(number, server)| async move { (number, connect_by(server, options).await) })
        .collect();
    let mut failures = BTreeMap::new();
    while let Some((number, attempt)) = attempts.next().await {
        match attempt {
            Ok(connection) => return Ok(connection),
            Err(failure) => failures.insert(number, failure),
        };
    }
    // A server that answers something unexpected tells more than one that is away.
    let mut failures: Vec<_> = failures.into_values().collect();
    let telling = failures.iter().position(|failure| !failure.is_silence()).unwrap_or_default();
    if telling < failures.len() {
        Err(failures.swap_remove(telling))
    } else {
        Err(ProbeError::skipped("the cluster has no server"))
    }
}

/// Does not repeat the text of a kubeconfig, which holds keys.
fn unreadable(error: KubeconfigError) -> ProbeError {
    let reason = match error {
        KubeconfigError::Parse(_) => "the file is not a kubeconfig".to_owned(),
        KubeconfigError::ReadConfig(error, file) => {
            format!("`{}` cannot be read: {}", file.display(), innermost(&error))
        }
        error => error.to_string(),
    };
    ProbeError::Skipped { reason }
}

async fn connect_by(server: &Node, options: &ProbeOptions) -> Result<Connection, ProbeError> {
    let kubeconfig = fetch_kubeconfig(server, options).await?;
    try_connect(kubeconfig, options.limit).await
}

/// Fetches the kubeconfig of a server. It is never written to disk.
async fn fetch_kubeconfig(server: &Node, options: &ProbeOptions) -> Result<Kubeconfig, ProbeError> {
    let destination = Destination::node(&server.ssh, &options.folder);
    let text = script_output(&destination, &format!("exec cat {KUBECONFIG}\n"), options.limit).await?;
    kubeconfig::of_node(&text, server.address.v4().addr().into(), PORT)
        .map_err(|fault| ProbeError::unexpected(format!("{KUBECONFIG} of {}: {fault}", server.name)))
}

async fn try_connect(kubeconfig: Kubeconfig, limit: Duration) -> Result<Connection, ProbeError> {
    let mut clusters = kubeconfig.clusters.iter().filter_map(|named| named.cluster.as_ref());
    let has_proxy = clusters.any(|cluster| cluster.proxy_url.is_some());
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let mut config = config.map_err(unreadable)?;
    if !has_proxy {
        // The proxies of the environment are for the web, not for the local network.
        config.proxy_url = None;
    }
    // Each request has the time limit of a probe.
    (config.connect_timeout, config.read_timeout) = (None, None);
    // The client would repeat a refused request for minutes.
    config.default_retry = false;
    let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
    let client = ClientBuilder::try_from(config)
        .map_err(|error| ProbeError::Skipped { reason: innermost(&error) })?
        .with_layer(&MapResponseLayer::new(bound))
        .with_layer(&MapRequestLayer::new(log))
        .build();
    let mut connection = Connection { client, server, nodes: Vec::new(), limit };
    match connection.list("/api/v1/nodes").await {
        Ok(Lookup::Found(nodes)) => connection.nodes = nodes,
        Ok(Lookup::NoObject | Lookup::NoKind) => {
            return Err(ProbeError::unexpected("the API server does not know what a Node is"));
        }
        // Which one it was matters where there are several.
        Err(ProbeError::Unreachable { reason }) => {
            return Err(ProbeError::Unreachable { reason: format!("{}: {reason}", connection.server) });
        }
        Err(error) => return Err(error),
    }
    Ok(connection)
}

fn log<B>(request: Request<B>) -> Request<B> {
    log::debug!("{} {} (Kubernetes)", request.method(), request.uri());
    request
}

/// Ends an answer that is longer than any should be.
fn bound<B>(response: Response<B>) -> Response<Limited<B>> {
    response.map(|body| Limited::new(body, BODY_LIMIT))
}

fn refusal(status: StatusCode, json: Option<&Value>) -> ProbeError {
    let reason = json.and_then(|json| json["reason"].as_str()).or_else(|| status.canonical_reason());
    let reason = format!("{} {}", status.as_u16(), reason.unwrap_or_default());
    match status.as_u16() {
        401 | 403 => ProbeError::Denied { reason },
        _ => ProbeError::unexpected(format!("the API server answers {reason}")),
    }
}

fn failure(error: &kube::Error) -> ProbeError {
    if causes(error).any(<dyn std::error::Error>::is::<LengthLimitError>) {
        return ProbeError::unexpected("the answer is too long");
    }
    let tls = causes(error).find_map(|cause| cause.downcast_ref());
    if let Some(tls) = tls.filter(|tls| matches!(tls, rustls::Error::InvalidCertificate(_))) {
        return ProbeError::Untrusted { fault: fault(tls, "the API server"), fingerprint: None };
    }
    ProbeError::Unreachable { reason: innermost(error) }
}
