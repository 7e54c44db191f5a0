//! `cluster.toml` as a whole.

use toml::de::{DeTable, DeValue};

use super::access::Access;
use super::bgp::Bgp;
use super::board::Board;
use super::certificates::Certificates;
use super::cilium::Cilium;
use super::gateway::Gateways;
use super::header::Header;
use super::hubble::Hubble;
use super::k3s::K3s;
use super::kubernetes_secret::KubernetesSecret;
use super::network::Network;
use super::node::Node;
use super::placeholder::note_placeholders;
use super::pool::Pool;
use super::secret_file::SecretFile;
use super::secrets::Secrets;
use super::security::Security;
use super::shape::{Attempt, Required, ShapeMistake};
use super::storage::Storage;
use super::streamer::Streamer;
use super::table::table;
use super::versions::Versions;
use crate::config::diagnostics::Problems;
use crate::config::source::{Source, Span};

table! {
    /// A Turing Pi cluster: its boards and nodes, their network, and what runs on them.
    pub struct ClusterFile {
        /// The name and domain of the cluster.
        "cluster" cluster: Required<Header>,
        /// The people who may log in to the nodes.
        "access" access: Required<Access>,
        /// Versions of k3s, Cilium, the Gateway API and cert-manager. [default: the newest that work together]
        "versions" versions: Option<Versions>,
        /// The nodes' network, and the address ranges inside the cluster.
        "network" network: Required<Network>,
        /// The Turing Pi 2 boards.
        "board" boards: Option<Vec<Board>>,
        /// The nodes.
        "node" nodes: Required<Vec<Node>>,
        /// The data disk of each node.
        "storage" storage: Required<Storage>,
        /// Settings of k3s, the Kubernetes distribution.
        "k3s" k3s: Option<Attempt<K3s>>,
        /// Settings of Cilium, the network plug-in.
        "cilium" cilium: Option<Cilium>,
        /// What the cluster protects itself with. Everything is on by default.
        "security" security: Option<Security>,
        /// The BGP sessions that announce the addresses of services to the routers. [default: none; the cluster then needs a
        /// `[[pool]]` in the nodes' network]
        "bgp" bgp: Option<Bgp>,
        /// Further pools of external addresses for services.
        "pool" pools: Option<Vec<Pool>>,
        /// The gateway, through which host names are reached from outside: a table, or a list of tables for several.
        "gateway" gateways: Required<Gateways>,
        /// Certificates for the gateways' host names.
        "certificates" certificates: Required<Certificates>,
        /// The web page of Hubble, which shows the cluster's traffic.
        "hubble" hubble: Option<Hubble>,
        /// The daemon on each node that shows received packets in Grafana.
        "streamer" streamer: Option<Streamer>,
        /// Files of nodes whose contents are secrets of your own.
        "secret-file" secret_files: Option<Vec<SecretFile>>,
        /// Kubernetes Secrets of your own, one table for each key.
        "kubernetes-secret" kubernetes_secrets: Option<Vec<KubernetesSecret>>,
        /// The file of each secret, which `rk1 flash` reads. [default: `secrets/NAME` for those that `rk1 secrets --generate` makes]
        "secrets" secrets: Option<Attempt<Secrets>>,
    }
}

impl ClusterFile {
    /// Reads the file, and notes every mistake in `problems`. Returns `None` if the text is not TOML.
    pub fn parse(source: &Source, problems: &mut Problems) -> Option<Self> {
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        if errors.is_empty() {
            note_placeholders(table.get_ref(), problems);
            return Some(Self::read("", source.first_line(), table.get_ref(), problems));
        }
        let mut errors: Vec<_> = errors
            .iter()
            .map(|error| (error.message(), error.span().map_or_else(|| source.first_line(), Span::from)))
            .collect();
        let lists: Vec<_> =
            errors.iter().filter_map(|(message, span)| repeated_list(message, *span, source)).collect();
        // The parser reports the keys of a repeated table as duplicates too.
        if !lists.is_empty() {
            errors.retain(|(message, _)| !message.contains(DUPLICATE));
        }
        for (span, key) in lists {
            problems.error(span, ShapeMistake::DuplicateTable { key: key.to_owned() });
        }
        for (message, span) in errors {
            note_syntax(message, span, source, table.get_ref(), problems);
        }
        None
    }
}

/// Lists of tables whose header is often written with single brackets.
const TABLE_LISTS: [&str; 8] =
    ["node", "board", "bgp.router", "gateway", "pool", "storage.disk", "secret-file", "kubernetes-secret"];

/// The part of the parser's message by which a repeated key is recognized.
const DUPLICATE: &str = "duplicate key";

/// Returns the span of a repeated header such as `[node]`, and the list of tables that it was meant for.
fn repeated_list(message: &str, span: Span, source: &Source) -> Option<(Span, &'static str)> {
    let is_duplicate = message.contains(DUPLICATE);
    let start = source.text.get(..span.start)?.rfind('\n').map_or(0, |line| line + 1);
    let line = source.text.get(start..)?.lines().next()?;
    let header = line.trim().strip_prefix('[')?.strip_suffix(']')?.trim();
    let list = TABLE_LISTS.into_iter().find(|list| is_duplicate && *list == header)?;
    Some((Span { start, end: start + line.len() }, list))
}

fn note_syntax(message: &str, span: Span, source: &Source, table: &DeTable<'_>, problems: &mut Problems) {
    let key = source.text.get(span.bytes()).unwrap_or_default();
    match earlier_key(table, key, span) {
        Some(first) if message.contains(DUPLICATE) => {
            let mistake = ShapeMistake::DuplicateKey { key: key.to_owned() };
            problems.collision(span, mistake, first, "first written here");
        }
        _ => problems.error(span, ShapeMistake::Syntax { message: message.to_owned() }),
    }
}

/// Returns the last place before `span` at which this key is written.
fn earlier_key(table: &DeTable<'_>, key: &str, span: Span) -> Option<Span> {
    let here = table.keys().filter(|known| known.get_ref() == key).map(|known| known.span().into());
    let below = table.values().flat_map(|value| match value.get_ref() {
        DeValue::Table(table) => vec![table],
        DeValue::Array(items) => items.iter().filter_map(|item| item.get_ref().as_table()).collect(),
        _ => Vec::new(),
    });
    let below = below.filter_map(|table| earlier_key(table, key, span));
    here.chain(below).filter(|first: &Span| first.start < span.start).max()
}
