//! What `[k3s]` and `k3s` of a `[[node]]` add to the hosts, as values for the templates.

use serde::Serialize;
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::config::cluster::{Cluster, K3s, Login, NodeSettings, Registries, SecretName, Snapshots};
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::written::Role;
use crate::render::error::RenderError;
use crate::render::manifests::{json as json_of, place};
use crate::render::schema::{ResourceMistake, ResourceProblem, validate_kubelet};

/// Settings of one node. Maps are JSON.
#[derive(Serialize)]
pub(super) struct NodeK3s {
    flags: Vec<String>,
    labels: Option<String>,
    taints: Vec<String>,
    kubelet: Option<String>,
}

impl NodeK3s {
    pub(super) fn of(settings: &NodeSettings, role: Role) -> Self {
        let flags = settings.flags.iter().filter(|flag| flag.is_known_to(role));
        Self {
            flags: flags.map(|flag| flag.text.clone()).collect(),
            labels: (!settings.labels.is_empty()).then(|| json!(settings.labels).to_string()),
            taints: settings.taints.iter().map(ToString::to_string).collect(),
            kubelet: settings.kubelet.as_ref().map(|kubelet| json_of(kubelet).to_string()),
        }
    }
}

/// Settings that all nodes share, as JSON.
#[derive(Serialize)]
pub(super) struct SharedK3s {
    embedded_registry: bool,
    registries: Option<String>,
    snapshots: Option<String>,
}

impl SharedK3s {
    pub(super) fn of(k3s: &K3s) -> Self {
        let snapshots = snapshots(&k3s.snapshots);
        Self {
            embedded_registry: k3s.registries.embedded,
            registries: (!k3s.registries.is_empty()).then(|| registries(&k3s.registries).to_string()),
            snapshots: (!snapshots.is_empty()).then(|| Value::Object(snapshots).to_string()),
        }
    }
}

/// Stands for the content of the secret's file on the node.
fn secret(name: &SecretName) -> Value {
    json!({ "_secret": name.path_on_node() })
}

/// The content of `registries.yaml` (k3s, "Private Registry Configuration").
fn registries(registries: &Registries) -> Value {
    let mut file = Map::new();
    let mirrors = registries.mirrors.iter().map(|(name, mirror)| {
        let mut entry = Map::new();
        if !mirror.endpoints.is_empty() {
            entry.insert("endpoint".to_owned(), json!(mirror.endpoints));
        }
        if !mirror.rewrite.is_empty() {
            entry.insert("rewrite".to_owned(), json!(mirror.rewrite));
        }
        (name.clone(), Value::Object(entry))
    });
    let hosts = registries.hosts.iter().map(|(name, host)| {
        let mut entry = Map::new();
        match &host.login {
            Some(Login::Password { username, password }) => {
                entry
                    .insert("auth".to_owned(), json!({ "username": username, "password": secret(password) }));
            }
            Some(Login::Token(token)) => {
                entry.insert("auth".to_owned(), json!({ "identity_token": secret(token) }));
            }
            None => {}
        }
        if let Some(ca) = &host.ca {
            entry.insert("tls".to_owned(), json!({ "ca_file": ca.path_on_node() }));
        }
        (name.clone(), Value::Object(entry))
    });
    for (key, entries) in [("configs", hosts.collect::<Map<_, _>>()), ("mirrors", mirrors.collect())] {
        if !entries.is_empty() {
            file.insert(key.to_owned(), Value::Object(entries));
        }
    }
    Value::Object(file)
}

fn snapshots(snapshots: &Snapshots) -> Map<String, Value> {
    let mut options = Map::new();
    let mut add = |key: &str, value: Value| options.insert(key.to_owned(), value);
    if !snapshots.enable {
        add("enable", json!(false));
    }
    if let Some(schedule) = &snapshots.schedule {
        add("schedule", json!(schedule));
    }
    if let Some(retention) = snapshots.retention {
        add("retention", json!(retention));
    }
    if snapshots.compress {
        add("compress", json!(true));
    }
    if let Some(s3) = &snapshots.s3 {
        let mut flags = Map::new();
        let mut flag = |name: &str, value: Value| flags.insert(format!("etcd-s3-{name}"), value);
        flag("endpoint", json!(s3.endpoint));
        flag("bucket", json!(s3.bucket));
        flag("folder", json!(s3.folder));
        flag("access-key", json!(s3.access_key_id));
        flag("secret-key", secret(&s3.secret_access_key));
        if let Some(region) = &s3.region {
            flag("region", json!(region));
        }
        if let Some(ca) = &s3.ca {
            flag("endpoint-ca", json!(ca.path_on_node()));
        }
        if s3.is_plain {
            flag("insecure", json!(true));
        }
        add("s3", Value::Object(flags));
    }
    options
}

#[derive(Debug, Error)]
#[error("kubelet: {0}")]
struct KubeletMistake(ResourceProblem);

impl Mistake for KubeletMistake {
    fn hint(&self) -> Option<String> {
        self.0.hint()
    }

    fn hint_is_public(&self) -> bool {
        matches!(self.0.mistake, ResourceMistake::UnknownKey { .. })
    }
}

/// Checks the fields of the kubelet's configuration where they are written.
pub(super) fn check(cluster: &Cluster) -> Result<(), RenderError> {
    let mut problems = Problems::default();
    let of_nodes = cluster.nodes.iter().map(|node| &node.k3s);
    for kubelet in
        std::iter::once(&cluster.k3s.shared).chain(of_nodes).filter_map(|each| each.kubelet.as_ref())
    {
        for problem in validate_kubelet(&json_of(kubelet)) {
            problems.error(place(kubelet, &problem).unwrap_or(kubelet.span), KubeletMistake(problem));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(RenderError::Refused(problems)) }
}
