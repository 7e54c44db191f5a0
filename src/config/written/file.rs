//! `cluster.toml` as a whole.

use toml::de::{DeTable, DeValue};

use super::access::Access;
use super::bgp::Bgp;
use super::board::Board;
use super::certificates::Certificates;
use super::cilium::Cilium;
use super::gateway::Gateway;
use super::header::Header;
use super::hubble::Hubble;
use super::k3s::K3s;
use super::network::Network;
use super::node::Node;
use super::secrets::Secrets;
use super::shape::{Required, ShapeMistake};
use super::storage::Storage;
use super::streamer::Streamer;
use super::table::table;
use super::versions::Versions;
use crate::config::diagnostics::Problems;
use crate::config::source::{Source, Span};

table! {
    /// A Turing Pi cluster: its boards and nodes, their network, and what runs on them.
    pub struct ClusterFile {
        /// What the cluster is called.
        "cluster" cluster: Required<Header>,
        /// Who may log in.
        "access" access: Required<Access>,
        /// Versions that go together. Left out: the newest pair that is known to work.
        "versions" versions: Option<Versions>,
        /// The nodes' network, and the ranges inside the cluster.
        "network" network: Required<Network>,
        /// The Turing Pi 2 boards.
        "board" boards: Required<Vec<Board>>,
        /// The RK1 modules.
        "node" nodes: Required<Vec<Node>>,
        /// The data disk of each node.
        "storage" storage: Required<Storage>,
        /// Kubernetes itself.
        "k3s" k3s: Required<K3s>,
        /// The network plug-in.
        "cilium" cilium: Option<Cilium>,
        /// Announcement of the cluster's addresses to the router.
        "bgp" bgp: Required<Bgp>,
        /// The one way in from outside, for all host names.
        "gateway" gateway: Required<Gateway>,
        /// Certificates for the gateway's host names.
        "certificates" certificates: Required<Certificates>,
        /// The view of the cluster's traffic.
        "hubble" hubble: Option<Hubble>,
        /// The daemon on each node that shows received packets in Grafana.
        "streamer" streamer: Option<Streamer>,
        /// Where the bytes of each secret lie at flash time.
        "secrets" secrets: Required<Secrets>,
    }
}

impl ClusterFile {
    /// Reads what can be read; what cannot is noted in `problems`. `None` where the text is not TOML at all.
    pub fn parse(source: &Source, problems: &mut Problems) -> Option<Self> {
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        if errors.is_empty() {
            return Some(Self::read("", source.first_line(), table.get_ref(), problems));
        }
        let mut errors: Vec<_> = errors
            .iter()
            .map(|error| (error.message(), error.span().map_or_else(|| source.first_line(), Span::from)))
            .collect();
        let lists: Vec<_> =
            errors.iter().filter_map(|(message, span)| repeated_list(message, *span, source)).collect();
        // The keys of a repeated table seem to be duplicates too.
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

/// Lists of tables that are often written as one table.
const TABLE_LISTS: [&str; 3] = ["node", "board", "bgp.router"];

/// What the parser's message about a repeated key contains.
const DUPLICATE: &str = "duplicate key";

/// The list that a repeated header such as `[node]` was meant for, and the place of the header.
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

/// The last place before `span` at which a key of this spelling stands.
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
