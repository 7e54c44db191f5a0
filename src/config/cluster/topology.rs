//! Boards, and the nodes in their slots.

use std::net::{Ipv4Addr, Ipv6Addr};

use thiserror::Error;

use super::address::{parse_address, parse_host};
use super::bgp::note_session_names;
use super::dual::{Ipv6Key, Networks, Pairs, parsed};
use super::first_use::FirstUse;
use super::name::Label;
use super::secrets::{SecretLookup, SecretName};
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::source::{Span, Spanned};
use crate::config::written::{self, ClusterFile, Role, Text, nearest};

/// A Turing Pi 2.
#[derive(Debug, Clone)]
pub struct Board {
    pub name: Label,
    /// Address of its management controller.
    pub bmc: Spanned<Ipv4Addr>,
    /// Who logs in there.
    pub user: String,
    pub password: Option<SecretName>,
}

/// An RK1 module.
#[derive(Debug, Clone)]
pub struct Node {
    pub name: Label,
    pub board: Label,
    /// 1 to 4.
    pub slot: u8,
    /// Its addresses, with the prefix lengths of their networks.
    pub address: Networks,
    pub role: Role,
    /// sshd's own key. None: the node makes one at its first boot.
    pub ssh_host_key: Option<SecretName>,
}

/// bmcd's own: the only user there is, as it is delivered.
const BMC_USER: &str = "root";

/// File names in `hosts/` that a node cannot have, since its own file would take their place.
const RESERVED: [&str; 2] = ["cluster", "default"];

#[derive(Debug, Error)]
enum TopologyMistake {
    #[error("two {what} are called `{name}`")]
    DuplicateName { what: &'static str, name: Label },
    #[error("a node cannot be called `{name}`")]
    ReservedName { name: Label },
    #[error("two boards have their BMC at `{address}`")]
    DuplicateBmc { address: Ipv4Addr },
    #[error("this is not the name of a user")]
    NotAUser,
    #[error("there is no slot {slot}")]
    NoSuchSlot { slot: i64 },
    #[error("slot {slot} of board `{board}` is taken twice")]
    SlotTaken { board: Label, slot: u8 },
    #[error("there is no board `{board}`")]
    UnknownBoard { board: String, nearest: Option<String>, known: Vec<String> },
    #[error("`[[node]]` does not say in which board it is, and there are several")]
    WhichBoard { known: Vec<String> },
    #[error("two nodes have the host key `{key}`")]
    DuplicateHostKey { key: String },
    #[error("no node is a server")]
    NoServer,
    #[error("{count} servers cannot outvote each other")]
    EvenServers { count: usize },
}

impl Mistake for TopologyMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::DuplicateName { .. } => "give each its own name".to_owned(),
            Self::ReservedName { name } => {
                format!("write another name: `hosts/{name}.nix` is rendered for the whole cluster")
            }
            Self::DuplicateBmc { .. } => "give each board the address of its own BMC".to_owned(),
            Self::NotAUser => {
                "write a name of a-z, 0-9, `-` and `_` that begins with a letter or `_`, such as `root`"
                    .to_owned()
            }
            Self::NoSuchSlot { .. } => "write a slot from 1 to 4".to_owned(),
            Self::SlotTaken { .. } => "write the slot in which the module is".to_owned(),
            Self::UnknownBoard { nearest: Some(board), .. } => format!("did you mean `{board}`?"),
            Self::UnknownBoard { known, .. } | Self::WhichBoard { known } => {
                format!("write `board = …` with one of {}", known.join(", "))
            }
            Self::DuplicateHostKey { .. } => {
                "give each its own: whoever holds the key of one could pass for the other".to_owned()
            }
            Self::NoServer => "write `role = \"server\"` for one node, or for three".to_owned(),
            Self::EvenServers { count } => format!(
                "make it {} or {}: etcd needs a majority, and an even server adds a risk but no safety",
                count - 1,
                count + 1
            ),
        };
        Some(instead)
    }
}

/// Boards and nodes, each valid in itself and none in the way of another.
pub(super) fn resolve(
    file: &ClusterFile,
    pairs: &mut Pairs,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<(Vec<Board>, Vec<Node>)> {
    let boards: Vec<_> =
        file.boards.as_ref()?.iter().map(|board| (board, resolve_board(board, secrets, problems))).collect();
    note_board_collisions(&boards, problems);
    let mut names: Vec<&Label> = boards.iter().filter_map(|(_, board)| Some(&board.as_ref()?.name)).collect();
    names.sort();
    names.dedup();

    let typed = file.nodes.as_ref()?;
    let nodes: Vec<_> =
        typed.iter().map(|node| (node, resolve_node(node, &names, pairs, secrets, problems))).collect();
    note_node_collisions(&nodes, problems);
    if pairs.first().is_some() {
        let names = nodes
            .iter()
            .filter_map(|(node, resolved)| Some((node.name.as_ref()?.span, &resolved.as_ref()?.name)));
        note_session_names(&names.collect::<Vec<_>>(), problems);
    }
    note_quorum(typed, file.span, problems);

    let boards = boards.into_iter().map(|(_, board)| board).collect::<Option<_>>()?;
    let nodes = nodes.into_iter().map(|(_, node)| node).collect::<Option<_>>()?;
    Some((boards, nodes))
}

fn resolve_board(
    board: &written::Board,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<Board> {
    let name = label(board.name.as_ref(), problems);
    let bmc = board.bmc.as_ref().and_then(|text| parsed(text, parse_address::<Ipv4Addr>, problems));
    let user = match &board.user {
        Some(text) => problems.take(text.span, parse_user(&text.value)),
        None => Some(BMC_USER.to_owned()),
    };
    let password = match &board.password {
        Some(text) => Some(secrets.find(text, problems)?),
        None => None,
    };
    Some(Board { name: name?, bmc: bmc?, user: user?, password })
}

/// A name as Linux takes it (shadow-utils, `useradd(8)`).
fn parse_user(text: &str) -> Result<String, TopologyMistake> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    let is_user = (1..=32).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && text.bytes().all(is_allowed);
    if is_user { Ok(text.to_owned()) } else { Err(TopologyMistake::NotAUser) }
}

fn label(name: Option<&Text>, problems: &mut Problems) -> Option<Label> {
    name.and_then(|text| problems.take(text.span, Label::parse(&text.value)))
}

fn resolve_node(
    node: &written::Node,
    boards: &[&Label],
    pairs: &mut Pairs,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<Node> {
    let name = label(node.name.as_ref(), problems);
    if let (Some(name), Some(text)) = (&name, node.name.as_ref())
        && RESERVED.contains(&name.as_str())
    {
        problems.error(text.span, TopologyMistake::ReservedName { name: name.clone() });
    }
    let slot = node.slot.as_ref().and_then(|slot| {
        let number = u8::try_from(slot.value).ok().filter(|number| (1..=4).contains(number));
        problems.take(slot.span, number.ok_or(TopologyMistake::NoSuchSlot { slot: slot.value }))
    });
    let v4 = node.address.as_ref().and_then(|text| parsed(text, parse_host::<Ipv4Addr>, problems));
    let key = Ipv6Key {
        table: "[[node]]",
        header: node.span,
        name: "address-ipv6",
        example: "fd00:172:16:10::221/64",
        text: node.address_ipv6.as_ref(),
    };
    let address = pairs.join(v4, key, parse_host::<Ipv6Addr>, problems);
    let board = resolve_board_of(node, boards, problems);
    let role = node.role.as_ref().map(|role| role.value);
    let ssh_host_key = match &node.ssh_host_key {
        Some(text) => Some(secrets.find(text, problems)?),
        None => None,
    };
    Some(Node { name: name?, board: board?, slot: slot?, address: address?, role: role?, ssh_host_key })
}

fn resolve_board_of(node: &written::Node, boards: &[&Label], problems: &mut Problems) -> Option<Label> {
    let known = || boards.iter().map(|board| format!("`{board}`")).collect();
    let Some(text) = &node.board else {
        return match boards {
            [only] => Some((*only).clone()),
            // What is wrong with the boards has been said already.
            [] => None,
            _ => {
                problems.error(node.span, TopologyMistake::WhichBoard { known: known() });
                None
            }
        };
    };
    let found = boards.iter().find(|board| board.as_str() == text.value).map(|board| (*board).clone());
    if found.is_none() {
        let nearest = nearest(&text.value, boards.iter().map(|board| board.as_str())).map(str::to_owned);
        let mistake = TopologyMistake::UnknownBoard { board: text.value.clone(), nearest, known: known() };
        problems.error(text.span, mistake);
    }
    found
}

fn note_board_collisions(boards: &[(&written::Board, Option<Board>)], problems: &mut Problems) {
    let mut names = FirstUse::default();
    let mut addresses = FirstUse::default();
    for (typed, board) in boards.iter().filter_map(|(typed, board)| Some((typed, board.as_ref()?))) {
        let Some(name) = typed.name.as_ref() else { continue };
        if let Some(first) = names.earlier(&board.name, name.span) {
            let mistake = TopologyMistake::DuplicateName { what: "boards", name: board.name.clone() };
            problems.collision(name.span, mistake, first, "first used here");
        }
        if let Some(first) = addresses.earlier(board.bmc.value, board.bmc.span) {
            let mistake = TopologyMistake::DuplicateBmc { address: board.bmc.value };
            problems.collision(board.bmc.span, mistake, first, "first used here");
        }
    }
}

fn note_node_collisions(nodes: &[(&written::Node, Option<Node>)], problems: &mut Problems) {
    let mut names = FirstUse::default();
    let mut slots = FirstUse::default();
    let mut keys = FirstUse::default();
    for (typed, node) in nodes.iter().filter_map(|(typed, node)| Some((typed, node.as_ref()?))) {
        let (Some(name), Some(slot)) = (typed.name.as_ref(), typed.slot.as_ref()) else { continue };
        if let Some(first) = names.earlier(&node.name, name.span) {
            let mistake = TopologyMistake::DuplicateName { what: "nodes", name: node.name.clone() };
            problems.collision(name.span, mistake, first, "first used here");
        }
        if let Some(first) = slots.earlier((&node.board, node.slot), slot.span) {
            let mistake = TopologyMistake::SlotTaken { board: node.board.clone(), slot: node.slot };
            problems.collision(slot.span, mistake, first, "first taken here");
        }
        if let Some(text) = &typed.ssh_host_key
            && let Some(first) = keys.earlier(text.value.as_str(), text.span)
        {
            let mistake = TopologyMistake::DuplicateHostKey { key: text.value.clone() };
            problems.collision(text.span, mistake, first, "first used here");
        }
    }
}

/// etcd keeps working while more than half of its members do.
fn note_quorum(nodes: &[written::Node], file: Span, problems: &mut Problems) {
    let roles = || nodes.iter().filter_map(|node| node.role.as_ref());
    let servers: Vec<_> = roles().filter(|role| role.value == Role::Server).collect();
    match servers.as_slice() {
        [] if roles().count() == nodes.len() => {
            problems.error(nodes.first().map_or(file, |node| node.span), TopologyMistake::NoServer);
        }
        [.., last] if servers.len() % 2 == 0 => {
            problems.error(last.span, TopologyMistake::EvenServers { count: servers.len() });
        }
        _ => {}
    }
}
