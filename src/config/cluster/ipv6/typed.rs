//! The keys that end in `-ipv6`, as typed: all of them, or none.

use thiserror::Error;

use super::super::Unresolved;
use super::super::default_range::{PODS_IPV6, SERVICES_IPV6};
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::source::Span;
use crate::config::written::{ClusterFile, Text};

/// The texts of a dual-stack cluster. Those of nodes and routers are in their order.
pub(super) struct Typed<'a> {
    pub(super) default_gateway: &'a Text,
    pub(super) pods: &'a Text,
    pub(super) services: &'a Text,
    pub(super) pool: &'a Text,
    pub(super) shared_gateway: &'a Text,
    pub(super) nodes: Vec<&'a Text>,
    pub(super) routers: Vec<&'a Text>,
}

/// A key, the table in which it belongs, and what is written there.
struct Key<'a> {
    table: &'static str,
    header: Span,
    name: &'static str,
    example: &'static str,
    text: Option<&'a Text>,
}

#[derive(Debug, Error)]
#[error("`{table}` lacks `{name}`, though the cluster has IPv6 addresses elsewhere")]
struct MissingKey {
    table: &'static str,
    name: &'static str,
    example: &'static str,
}

impl Mistake for MissingKey {
    fn hint(&self) -> Option<String> {
        let Self { name, example, .. } = self;
        Some(format!("add one such as `{name} = \"{example}\"`, or leave out every key that ends in `-ipv6`"))
    }
}

impl<'a> Typed<'a> {
    /// Nothing where no such key is written. What is missing is noted.
    pub(super) fn of(file: &'a ClusterFile, problems: &mut Problems) -> Result<Option<Self>, Unresolved> {
        let keys = keys(file);
        let Some(first) = keys.iter().filter_map(|key| Some(key.text?.span)).min() else { return Ok(None) };
        for Key { table, header, name, example, .. } in keys.iter().filter(|key| key.text.is_none()) {
            let mistake = MissingKey { table, name, example };
            problems.collision(*header, mistake, first, "an IPv6 address");
        }
        Self::complete(file).map(Some).ok_or(Unresolved)
    }

    fn complete(file: &'a ClusterFile) -> Option<Self> {
        let (network, bgp) = (file.network.as_ref()?, file.bgp.as_ref()?);
        let nodes = file.nodes.as_ref()?.iter().map(|node| node.address_ipv6.as_ref());
        let routers = bgp.routers.as_ref()?.iter().map(|router| router.address_ipv6.as_ref());
        Some(Self {
            default_gateway: network.gateway_ipv6.as_ref()?,
            pods: network.pods_ipv6.as_ref()?,
            services: network.services_ipv6.as_ref()?,
            pool: bgp.pool_ipv6.as_ref()?,
            shared_gateway: file.gateway.as_ref()?.address_ipv6.as_ref()?,
            nodes: nodes.collect::<Option<_>>()?,
            routers: routers.collect::<Option<_>>()?,
        })
    }
}

/// Every such key of the tables that are there.
fn keys(file: &ClusterFile) -> Vec<Key<'_>> {
    let mut keys = Vec::new();
    let mut add = |table, header, name, example, text| {
        keys.push(Key { table, header, name, example, text });
    };
    if let Some(network) = file.network.as_ref() {
        let (table, here) = ("[network]", network.span);
        add(table, here, "gateway-ipv6", "fd00:172:16:10::1", network.gateway_ipv6.as_ref());
        add(table, here, "pods-ipv6", PODS_IPV6, network.pods_ipv6.as_ref());
        add(table, here, "services-ipv6", SERVICES_IPV6, network.services_ipv6.as_ref());
    }
    for node in file.nodes.as_ref().into_iter().flatten() {
        add("[[node]]", node.span, "address-ipv6", "fd00:172:16:10::221/64", node.address_ipv6.as_ref());
    }
    if let Some(bgp) = file.bgp.as_ref() {
        add("[bgp]", bgp.span, "pool-ipv6", "fd00:10:200:200::/112", bgp.pool_ipv6.as_ref());
        for router in bgp.routers.as_ref().into_iter().flatten() {
            let text = router.address_ipv6.as_ref();
            add("[[bgp.router]]", router.span, "address-ipv6", "fd00:172:16:10::1", text);
        }
    }
    if let Some(gateway) = file.gateway.as_ref() {
        let text = gateway.address_ipv6.as_ref();
        add("[gateway]", gateway.span, "address-ipv6", "fd00:10:200:200::1", text);
    }
    keys
}
