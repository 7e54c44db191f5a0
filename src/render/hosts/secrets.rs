//! Files and Kubernetes Secrets that the nodes make of secrets, as values for the templates.

use serde::Serialize;

use crate::config::cluster::{self, Cluster, Node};

/// A key of a Kubernetes Secret, which servers make from a file.
#[derive(Serialize)]
pub(super) struct KubernetesSecret {
    /// The attribute, which is also in the name of the unit.
    attribute: String,
    /// The name of the Secret. `None` if it is the attribute.
    name: Option<String>,
    namespace: String,
    key: String,
    /// The type of the Secret. `None` if it is the default.
    kind: Option<String>,
    file: String,
}

/// The type that a Secret has by default.
const OPAQUE: &str = "Opaque";

/// A Secret with several keys has an entry for each of them. Names are unique within a namespace only.
pub(super) fn of_kubernetes(cluster: &Cluster) -> Vec<KubernetesSecret> {
    let secrets = cluster.kubernetes_secrets();
    let entry = |secret: &cluster::KubernetesSecret| {
        let same = || secrets.iter().filter(|other| other.name == secret.name);
        let is_shared = same().count() > 1;
        let is_elsewhere_too = same().any(|other| other.namespace != secret.namespace);
        let attribute = match (is_shared, is_elsewhere_too) {
            (_, true) => format!("{}.{}.{}", secret.namespace, secret.name, secret.key),
            (true, false) => format!("{}.{}", secret.name, secret.key),
            (false, false) => secret.name.clone(),
        };
        KubernetesSecret {
            attribute,
            name: is_shared.then(|| secret.name.clone()),
            namespace: secret.namespace.clone(),
            key: secret.key.clone(),
            kind: (secret.kind != OPAQUE).then(|| secret.kind.clone()),
            file: secret.from.path_on_node(),
        }
    };
    secrets.iter().map(entry).collect()
}

/// A file of a node whose content is a secret.
#[derive(Serialize)]
pub(super) struct SecretFile<'a> {
    /// The attribute, which is also in the name of the unit: the name of the secret, with a number if it has several files.
    attribute: String,
    file: String,
    path: &'a str,
    owner: &'a str,
    group: &'a str,
    mode: &'a str,
    restart: &'a [String],
}

pub(super) fn files<'a>(cluster: &'a Cluster, node: &Node) -> Vec<SecretFile<'a>> {
    let files: Vec<_> = cluster.secret_files.iter().filter(|file| file.is_for(node)).collect();
    let entry = |(place, file): (usize, &&'a cluster::SecretFile)| {
        let earlier = files[..place].iter().filter(|other| other.secret == file.secret).count();
        let name = file.secret.as_str();
        SecretFile {
            attribute: if earlier == 0 { name.to_owned() } else { format!("{name}:{}", earlier + 1) },
            file: file.secret.path_on_node(),
            path: &file.path,
            owner: &file.owner,
            group: &file.group,
            mode: &file.mode,
            restart: &file.restart,
        }
    };
    files.iter().enumerate().map(entry).collect()
}
