//! Reads the secrets that a deploy compares with those of the nodes.

use std::collections::BTreeMap;
use std::path::Path;

use crate::common::secret_source::SecretSource;
use crate::config::cluster::{Cluster, Label, Node, SecretName};
use crate::operate::deploy::{NodeSecret, NodeSecrets};
use crate::provision::seed;

/// Returns the names of the secrets of each node that have a source.
pub(super) fn named(cluster: &Cluster, nodes: &[&Node]) -> BTreeMap<Label, Vec<SecretName>> {
    let has_source = |name: &SecretName| *cluster.secrets.source(name) != SecretSource::Elsewhere;
    let of_node =
        |node: &Node| cluster.replaceable_secrets(node).into_iter().filter(has_source).collect::<Vec<_>>();
    nodes
        .iter()
        .map(|node| (node.name.clone(), of_node(node)))
        .filter(|(_, names)| !names.is_empty())
        .collect()
}

/// Reads each secret once. Returns those of each node, and the names of the secrets that cannot be read.
pub(super) fn read(
    cluster: &Cluster,
    of_nodes: &BTreeMap<Label, Vec<SecretName>>,
    folder: &Path,
) -> (NodeSecrets, Vec<SecretName>) {
    let mut names: Vec<_> = of_nodes.values().flatten().collect();
    names.sort();
    names.dedup();
    let mut unread = Vec::new();
    let mut bytes = BTreeMap::new();
    for name in names {
        match seed::secret(&cluster.secrets, name, folder) {
            Ok(found) => drop(bytes.insert(name, found)),
            Err(_) => unread.push(name.clone()),
        }
    }
    let secret = |name: &SecretName| Some(NodeSecret { name: name.clone(), bytes: bytes.get(name)?.clone() });
    let of_nodes = of_nodes
        .iter()
        .map(|(node, names)| (node.clone(), names.iter().filter_map(secret).collect::<Vec<_>>()));
    (NodeSecrets(of_nodes.filter(|(_, secrets)| !secrets.is_empty()).collect()), unread)
}
