//! `routers/`: the router's side of each BGP session, in the language of the router.
//!
//! No rendered file contains a password: ``RouterOS`` reads it from a variable, BIRD from a file of its own, and files for
//! FRR and `VyOS` have a [`placeholder`] for it.

mod bird;
mod frr;
mod routeros;
mod template;
mod vyos;

use ipnet::IpNet;
use serde::Serialize;
use tera::{Context, Tera};

use self::template::{APPLY, REMOVE};
use super::error::RenderError;
use crate::config::cluster::{Bgp, Cluster, Label, Node, Router, SecretName, ipv6_session};
use crate::config::platforms::{Firewall, Language};
use crate::render::document::Document;

const FOLDER: &str = "routers";

/// The values for the templates: one router and its sessions, as text.
#[derive(Serialize)]
struct Peering<'a> {
    cluster: &'a Label,
    router: &'a Label,
    address: String,
    version: &'a str,
    /// The name, or the prefix of the names, of everything that belongs to the cluster on the router.
    object: String,
    router_asn: u32,
    nodes_asn: u32,
    /// Whether all nodes have this number.
    is_same_asn: bool,
    /// Whether some nodes are in other autonomous systems than the router, and some in the same.
    is_external: bool,
    is_internal: bool,
    /// The networks whose addresses the nodes announce.
    pools: Vec<PoolNetwork>,
    /// The same over IPv6, in a dual-stack cluster.
    ipv6: Option<PeeringIpv6>,
    /// The time to live of the packets to the nodes, if the router is not in their network.
    multihop: Option<u8>,
    /// Seconds.
    hold_time: u16,
    /// Seconds.
    keepalive: u16,
    /// The most next hops of one address.
    paths: usize,
    password: Option<Password>,
    sessions: Vec<Session>,
    /// The base name of the router's files.
    file: String,
    /// The commands that the router's release of `RouterOS` has.
    syntax: routeros::Syntax,
    platform: PlatformFacts,
}

#[derive(Serialize)]
struct PlatformFacts {
    name: &'static str,
    apply: Option<&'static str>,
    keep: &'static str,
    install: Option<&'static str>,
    /// Whether its firewall is configured by `nft`, and by `uci`.
    has_nftables: bool,
    has_uci: bool,
    has_sysctl: bool,
    /// What scp needs to copy to it.
    scp: &'static str,
}

/// The sessions over IPv6, which carry IPv6 routes and nothing else.
#[derive(Serialize)]
struct PeeringIpv6 {
    address: String,
    pools: Vec<PoolNetwork>,
    sessions: Vec<Session>,
}

/// A network of a pool. The nodes announce single addresses of it.
#[derive(Serialize)]
struct PoolNetwork {
    network: String,
    /// Whether it is a single address.
    is_single: bool,
}

#[derive(Serialize)]
struct Password {
    placeholder: String,
    /// The secret's file beside `cluster.toml`, for a command that the operator types.
    file: String,
}

#[derive(Serialize)]
struct Session {
    name: String,
    node: String,
    address: String,
    /// The AS number of the node.
    asn: u32,
    is_external: bool,
}

/// Next hops of one address that FRR can hold (Debian's and FRR's own packages: `--enable-multipath=64`).
const MOST_PATHS: usize = 64;

/// The placeholder for a password in FRR's and `VyOS`'s files. The command in the head of the file replaces it.
#[must_use]
pub fn placeholder(secret: &SecretName) -> String {
    format!("@{}@", secret.as_str())
}

/// The names of the files that [`documents`] renders for a router.
#[must_use]
pub fn file_name(router: &Router) -> String {
    format!("{}{}", router.name, rendering(router.platform.language).apply)
}

/// How a language is rendered.
struct Rendering {
    /// The suffix of the file that is applied.
    apply: &'static str,
    /// The suffix of the file that undoes it. `None` if removing the first file is enough.
    remove: Option<&'static str>,
    templates: fn() -> Result<Tera, tera::Error>,
}

fn rendering(language: Language) -> Rendering {
    let (apply, remove, templates): (_, _, fn() -> Result<Tera, tera::Error>) = match language {
        Language::Routeros => (".rsc", Some(".remove.rsc"), routeros::templates),
        Language::Frr => (".frr.conf", Some(".remove.frr.conf"), frr::templates),
        Language::Bird => (".bird.conf", None, bird::templates),
        Language::Vyos => (".vyos", Some(".remove.vyos"), vyos::templates),
    };
    Rendering { apply, remove, templates }
}

pub(super) fn documents(cluster: &Cluster) -> Result<Vec<Document>, RenderError> {
    let mut documents = Vec::new();
    for router in cluster.routers() {
        documents.extend(router_documents(cluster, router)?);
    }
    Ok(documents)
}

/// Returns the files of one router.
pub fn router_documents(cluster: &Cluster, router: &Router) -> Result<Vec<Document>, RenderError> {
    let Rendering { apply, remove, templates } = rendering(router.platform.language);
    let tera = templates()?;
    // A router belongs to the section `[bgp]`.
    let Some(bgp) = &cluster.bgp else { return Ok(Vec::new()) };
    let context = Context::from_serialize(&peering(cluster, bgp, router))?;
    let document = |suffix: &str, template: &str| -> Result<Document, RenderError> {
        let name = format!("{}{suffix}", router.name);
        Ok(Document { folder: FOLDER, name, body: tera.render(template, &context)? })
    };
    let mut documents = vec![document(apply, APPLY)?];
    if let Some(suffix) = remove {
        documents.push(document(suffix, REMOVE)?);
    }
    Ok(documents)
}

fn asn_of(cluster: &Cluster, bgp: &Bgp, node: &Node) -> u32 {
    cluster.asn_of(node).unwrap_or(bgp.asn)
}

/// Returns the networks of a family whose addresses are announced to a router.
fn pool_networks(cluster: &Cluster, router: &Router, is_ipv6: bool) -> Vec<PoolNetwork> {
    let ranges = cluster.pools_of(router).flat_map(|pool| &pool.ranges);
    let networks =
        ranges.filter(|range| range.value.is_ipv6() == is_ipv6).flat_map(|range| range.value.networks());
    let text = |network: IpNet| PoolNetwork {
        network: network.to_string(),
        is_single: network.prefix_len() == network.max_prefix_len(),
    };
    networks.map(text).collect()
}

fn peering<'a>(cluster: &'a Cluster, bgp: &'a Bgp, router: &'a Router) -> Peering<'a> {
    let asns: Vec<_> = cluster.nodes.iter().map(|node| asn_of(cluster, bgp, node)).collect();
    Peering {
        cluster: &cluster.name,
        router: &router.name,
        address: router.address.v4().to_string(),
        version: &router.version,
        object: format!("rk1-{}", cluster.name),
        router_asn: router.asn,
        nodes_asn: asns.first().copied().unwrap_or(bgp.asn),
        is_same_asn: asns.iter().all(|asn| Some(asn) == asns.first()),
        is_external: asns.iter().any(|asn| *asn != router.asn),
        is_internal: asns.contains(&router.asn),
        pools: pool_networks(cluster, router, false),
        ipv6: peering_ipv6(cluster, bgp, router),
        multihop: router.multihop.map(|ttl| ttl.value),
        hold_time: bgp.hold_time,
        keepalive: bgp.keepalive,
        paths: cluster.nodes.len().min(MOST_PATHS),
        password: router
            .password
            .as_ref()
            .map(|secret| Password { placeholder: placeholder(secret), file: secret_file(cluster, secret) }),
        sessions: cluster
            .nodes
            .iter()
            .map(|node| Session {
                name: router.session_name(&node.name),
                node: node.name.to_string(),
                address: node.address.v4().addr().to_string(),
                asn: asn_of(cluster, bgp, node),
                is_external: asn_of(cluster, bgp, node) != router.asn,
            })
            .collect(),
        file: file_name(router),
        syntax: routeros::Syntax::of(router.release),
        platform: PlatformFacts {
            name: router.platform.name,
            apply: router.platform.apply,
            keep: router.platform.keep,
            install: router.platform.install,
            has_nftables: router.platform.firewall == Firewall::Nftables,
            has_uci: router.platform.firewall == Firewall::Uci,
            has_sysctl: router.platform.has_sysctl,
            // OpenWrt's ssh server, Dropbear, has no SFTP.
            scp: if router.platform.firewall == Firewall::Uci { "scp -O" } else { "scp" },
        },
    }
}

fn peering_ipv6(cluster: &Cluster, bgp: &Bgp, router: &Router) -> Option<PeeringIpv6> {
    let session = |node: &Node| {
        Some(Session {
            name: ipv6_session(&router.session_name(&node.name)),
            node: node.name.to_string(),
            address: node.address.v6()?.addr().to_string(),
            asn: asn_of(cluster, bgp, node),
            is_external: asn_of(cluster, bgp, node) != router.asn,
        })
    };
    Some(PeeringIpv6 {
        address: router.address.v6()?.to_string(),
        pools: pool_networks(cluster, router, true),
        sessions: cluster.nodes.iter().filter_map(session).collect(),
    })
}

/// Returns the secret's file as written, or its usual name if the former would need quotes.
fn secret_file(cluster: &Cluster, secret: &SecretName) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    let written = cluster.secrets.file(secret).and_then(|path| path.to_str());
    let plain = written.filter(|path| path.bytes().all(is_plain));
    plain.map_or_else(|| format!("secrets/{}", secret.as_str()), str::to_owned)
}
