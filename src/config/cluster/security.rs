//! `[security]`: the cluster's protections.

use std::net::IpAddr;

use ipnet::IpNet;
use thiserror::Error;

use super::address::{AddressMistake, check_special_range};
use super::node::Node;
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::source::Spanned;
use crate::config::written::{self, PodSecurity, Switch, Text};

#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the file, and none depends on another"
)]
pub struct Security {
    /// Whether the pods' traffic between nodes is encrypted and authenticated.
    pub encryption: bool,
    /// The networks that can reach the API server, in addition to nodes and pods. Empty if there are none.
    pub api_clients: Vec<IpNet>,
    /// The standard for pods of namespaces that do not name one by a label.
    pub pod_security: PodSecurity,
    /// Whether pods are kept from the boards' controllers, and from the management ports of routers and nodes.
    pub network_policies: bool,
    /// Whether etcd stores Secrets encrypted.
    pub secrets_encryption: bool,
    /// Whether the API server logs who changed what.
    pub audit_log: bool,
}

#[derive(Debug, Error)]
enum SecurityMistake {
    #[error("`{text}` is not a network")]
    NotANetwork { text: String },
    #[error("`{address}` lacks its prefix length")]
    NoPrefix { address: IpNet },
    #[error(transparent)]
    Range(AddressMistake),
    #[error("`{range}` is an IPv6 network, but the nodes have no IPv6 addresses")]
    NoIpv6 { range: IpNet },
    #[error("`{range}` is written twice")]
    Duplicate { range: IpNet },
}

impl Mistake for SecurityMistake {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NotANetwork { .. } => {
                Some("write it in CIDR form, such as `192.168.1.0/24`: names are not resolved".to_owned())
            }
            Self::NoPrefix { address } => {
                Some(format!("write `{address}` for this one machine, or the network that it is in"))
            }
            Self::Range(mistake) => mistake.hint(),
            Self::NoIpv6 { .. } => {
                Some("remove it: the API server is reached by its IPv4 address only".to_owned())
            }
            Self::Duplicate { .. } => Some("remove one of them".to_owned()),
        }
    }
}

/// Resolves the section; `nodes` is `None` where they could not be resolved.
pub(super) fn resolve(
    written: Option<&written::Security>,
    nodes: Option<&[Node]>,
    is_dual_stack: bool,
    problems: &mut Problems,
) -> Option<Security> {
    let is_on = |key: fn(&written::Security) -> &Option<Switch>| {
        written.and_then(|written| key(written).as_ref()).is_none_or(|switch| switch.value)
    };
    let clients = match written.and_then(|written| written.api_clients.as_ref()) {
        Some(texts) => written_clients(texts, is_dual_stack, problems),
        None => nodes.map(networks_of),
    };
    let pod_security = written.and_then(|written| written.pod_security.as_ref());
    Some(Security {
        encryption: is_on(|written| &written.encryption),
        api_clients: clients?,
        pod_security: pod_security.map_or(PodSecurity::Baseline, |choice| choice.value),
        network_policies: is_on(|written| &written.network_policies),
        secrets_encryption: is_on(|written| &written.secrets_encryption),
        audit_log: is_on(|written| &written.audit_log),
    })
}

/// Returns the networks that the nodes are in, each of them once.
fn networks_of(nodes: &[Node]) -> Vec<IpNet> {
    let mut networks: Vec<_> =
        nodes.iter().flat_map(|node| node.address.each()).map(|address| address.trunc()).collect();
    networks.sort();
    networks.dedup();
    networks
}

fn written_clients(
    texts: &Spanned<Vec<Text>>,
    is_dual_stack: bool,
    problems: &mut Problems,
) -> Option<Vec<IpNet>> {
    let mut clients = Vec::new();
    let mut has_failed = false;
    for text in &texts.value {
        let parsed = parse_client(&text.value, is_dual_stack).and_then(|range| {
            if clients.contains(&range) { Err(SecurityMistake::Duplicate { range }) } else { Ok(range) }
        });
        match problems.take(text.span, parsed) {
            Some(range) => clients.push(range),
            None => has_failed = true,
        }
    }
    (!has_failed).then_some(clients)
}

/// Parses a network of either family. `0.0.0.0/0` and `::/0` stand for everyone.
fn parse_client(text: &str, is_dual_stack: bool) -> Result<IpNet, SecurityMistake> {
    let Ok(range) = text.parse::<IpNet>() else {
        return Err(text.parse::<IpAddr>().map_or_else(
            |_| SecurityMistake::NotANetwork { text: text.to_owned() },
            |address| SecurityMistake::NoPrefix { address: address.into() },
        ));
    };
    if range.addr() != range.network() {
        return Err(SecurityMistake::Range(AddressMistake::HostBits { address: range }));
    }
    if range.prefix_len() > 0 {
        check_special_range(range).map_err(SecurityMistake::Range)?;
    }
    if matches!(range, IpNet::V6(_)) && !is_dual_stack {
        return Err(SecurityMistake::NoIpv6 { range });
    }
    Ok(range)
}
