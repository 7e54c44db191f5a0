//! The host keys of nodes, as ssh looks for them.

use crate::common::known_hosts::KnownHost;
use crate::config::cluster::{Cluster, Node};
use crate::provision::seed::public_host_key;

/// Returns a node and the public half of its host key, or `None` if the bytes are not a key.
pub(crate) fn known_host(cluster: &Cluster, node: &Node, private: &[u8]) -> Option<KnownHost> {
    let full_name = format!("{}.{}", node.name, cluster.domain);
    let addresses =
        [Some(node.address.v4().addr().to_string()), node.address.v6().map(|v6| v6.addr().to_string())];
    let names = [full_name].into_iter().chain(addresses.into_iter().flatten()).collect();
    Some(KnownHost { names, key: public_host_key(private)? })
}
