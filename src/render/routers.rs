//! `routers/`: the router's side of each BGP session, in the language of the router.
//!
//! No rendered file contains a password: ``RouterOS`` reads it from a variable, BIRD from a file of its own, and files for
//! FRR and `VyOS` have a [`placeholder`] for it.

mod bird;
mod frr;
mod routeros;
mod template;
mod vyos;

use serde::Serialize;
use tera::{Context, Tera};

use self::template::{APPLY, REMOVE};
use super::error::RenderError;
use crate::config::cluster::{Cluster, Label, Node, Router, SecretName, ipv6_session};
use crate::config::platforms::Language;
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
    is_external: bool,
    pool: String,
    /// Whether the pool is a single address.
    is_single: bool,
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
    is_linux: bool,
}

/// The sessions over IPv6, which carry IPv6 routes and nothing else.
#[derive(Serialize)]
struct PeeringIpv6 {
    address: String,
    pool: String,
    is_single: bool,
    sessions: Vec<Session>,
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
    for router in &cluster.bgp.routers {
        documents.extend(router_documents(cluster, router)?);
    }
    Ok(documents)
}

/// Returns the files of one router.
pub fn router_documents(cluster: &Cluster, router: &Router) -> Result<Vec<Document>, RenderError> {
    let Rendering { apply, remove, templates } = rendering(router.platform.language);
    let tera = templates()?;
    let context = Context::from_serialize(&peering(cluster, router))?;
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

fn peering<'a>(cluster: &'a Cluster, router: &'a Router) -> Peering<'a> {
    let bgp = &cluster.bgp;
    Peering {
        cluster: &cluster.name,
        router: &router.name,
        address: router.address.v4().to_string(),
        version: &router.version,
        object: format!("rk1-{}", cluster.name),
        router_asn: router.asn,
        nodes_asn: bgp.asn,
        is_external: router.asn != bgp.asn,
        pool: bgp.pool.v4().to_string(),
        is_single: bgp.pool.v4().prefix_len() == bgp.pool.v4().max_prefix_len(),
        ipv6: peering_ipv6(cluster, router),
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
            })
            .collect(),
        file: file_name(router),
        syntax: routeros::Syntax::of(router.release),
        platform: PlatformFacts {
            name: router.platform.name,
            apply: router.platform.apply,
            keep: router.platform.keep,
            is_linux: router.platform.is_linux,
        },
    }
}

fn peering_ipv6(cluster: &Cluster, router: &Router) -> Option<PeeringIpv6> {
    let pool = cluster.bgp.pool.v6()?;
    let session = |node: &Node| {
        Some(Session {
            name: ipv6_session(&router.session_name(&node.name)),
            node: node.name.to_string(),
            address: node.address.v6()?.addr().to_string(),
        })
    };
    Some(PeeringIpv6 {
        address: router.address.v6()?.to_string(),
        pool: pool.to_string(),
        is_single: pool.prefix_len() == pool.max_prefix_len(),
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
