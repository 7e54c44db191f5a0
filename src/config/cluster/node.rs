//! `[[node]]`: the nodes, most of which are modules in the slots of the boards.

use std::net::{Ipv4Addr, Ipv6Addr};

use thiserror::Error;

use super::address::parse_host;
use super::bgp::{Bgp, note_session_names};
use super::board::{NO_BOARD, SLOTS};
use super::dual::{Ipv6Key, Networks, Pairs, parsed};
use super::first_use::FirstUse;
use super::interface::{self, Interface};
use super::k3s::{NodeSettings, WrittenSettings};
use super::name::Label;
use super::number::asn;
use super::router_status::is_ssh_destination;
use super::secrets::{SecretLookup, SecretName};
use crate::common::nearest::nearest;
use crate::config::diagnostics::{Mistake, Problems, Unresolved};
use crate::config::modules::Module;
use crate::config::source::{Span, Spanned};
use crate::config::written::{self, Role};

/// A slot of a board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub board: Label,
    /// From 1 to [`SLOTS`].
    pub slot: u8,
}

/// A node of the cluster.
#[derive(Debug, Clone)]
pub struct Node {
    pub name: Label,
    /// `None` if it is in no board.
    pub place: Option<Place>,
    pub module: &'static Module,
    /// Its addresses, with the prefix lengths of their networks.
    pub address: Networks,
    /// Settings that override `[network.interface]` on this node.
    pub interface: Interface,
    pub role: Role,
    /// Its autonomous system number, where it differs from that in `[bgp]`.
    pub asn: Option<Spanned<u32>>,
    /// Where ssh reaches it: a destination as ssh takes it, never an option.
    pub ssh: String,
    /// The host key of its ssh server. A machine that joins by itself need not have one here.
    pub ssh_host_key: Option<SecretName>,
    /// Settings of k3s on this node, in addition to those that all nodes share.
    pub k3s: NodeSettings,
    /// The first of its own taints.
    pub taint: Option<Span>,
}

impl Node {
    /// Returns whether the node is a host of NixOS, which `rk1` renders, flashes, deploys and logs in to.
    #[must_use]
    pub fn is_host(&self) -> bool {
        self.module.hardware.is_some()
    }

    /// Returns whether the node is in this slot.
    #[must_use]
    pub fn is_in(&self, board: &Label, slot: u8) -> bool {
        self.place.as_ref().is_some_and(|place| place.board == *board && place.slot == slot)
    }
}

/// A name that no node of the cluster has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the cluster has no node `{name}`")]
pub struct NoSuchNode {
    name: String,
    nearest: Option<Label>,
    known: Vec<Label>,
}

impl NoSuchNode {
    pub(super) fn new(name: &str, nodes: &[Node]) -> Self {
        let known: Vec<_> = nodes.iter().map(|node| node.name.clone()).collect();
        let nearest = nearest(name, known.iter().map(Label::as_str));
        let nearest = nearest.and_then(|nearest| Label::parse(nearest).ok());
        Self { name: name.to_owned(), nearest, known }
    }

    /// What to write instead.
    #[must_use]
    pub fn hint(&self) -> String {
        if let Some(nearest) = &self.nearest {
            return format!("did you mean `{nearest}`?");
        }
        let known: Vec<_> = self.known.iter().map(|name| format!("`{name}`")).collect();
        format!("its nodes are {}", known.join(", "))
    }
}

/// Names of rendered files in `hosts/` that are not those of nodes.
const RESERVED: [&str; 2] = ["cluster", "default"];

#[derive(Debug, Error)]
enum NodeMistake {
    #[error("two nodes have the name `{name}`")]
    DuplicateName { name: Label },
    #[error("a node cannot have the name `{name}`")]
    ReservedName { name: Label },
    #[error("slot {slot} does not exist")]
    NoSuchSlot { slot: i64 },
    #[error("slot {slot} of board `{board}` is used twice")]
    SlotTaken { board: Label, slot: u8 },
    #[error("board `{board}` does not exist")]
    UnknownBoard { board: String, nearest: Option<String>, known: Vec<String> },
    #[error("`[[node]]` lacks `board`, and there are several boards")]
    WhichBoard { known: Vec<String> },
    #[error("`[[node]]` lacks `slot`")]
    MissingSlot,
    #[error("the node is in no board, but has a slot")]
    SlotWithoutBoard,
    #[error("the file has no `[[board]]` that the module could be in")]
    NoBoards,
    #[error("a machine of the kind `{kind}` is an agent")]
    OtherServer { kind: &'static str },
    #[error("`{key}` has no effect on a machine of the kind `{kind}`")]
    KeyOfHost { key: &'static str, kind: &'static str },
    #[error("the node has an AS number, but no router learns its routes: there is no `[bgp]`")]
    AsnWithoutBgp,
    #[error("`{node}` is in the autonomous system of the router `{router}`, and other nodes are not")]
    MixedAsns { router: Label, node: Label },
    #[error("`{text}` is not a destination for ssh")]
    NotADestination { text: String },
    #[error("two nodes have the host key `{key}`")]
    DuplicateHostKey { key: String },
    #[error("the cluster has no server")]
    NoServer,
    #[error("{count} servers tolerate no more failures than {}", count - 1)]
    EvenServers { count: usize },
}

impl Mistake for NodeMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::MixedAsns { .. } => {
                "give all nodes other AS numbers than the router: it prefers routes of other autonomous \
                                       systems, so that this node would get no traffic"
                    .to_owned()
            }
            Self::AsnWithoutBgp => "remove `asn`, or add `[bgp]`".to_owned(),
            Self::DuplicateName { .. } => "give each node its own name".to_owned(),
            Self::ReservedName { name } => {
                format!("write another name: `hosts/{name}.nix` is rendered for the whole cluster")
            }
            Self::NoSuchSlot { .. } => format!("write a slot from 1 to {SLOTS}"),
            Self::SlotTaken { .. } => "write the slot that the module is in".to_owned(),
            Self::MissingSlot => {
                "add `slot = 1`, or `board = \"none\"` for a module that is in no board".to_owned()
            }
            Self::SlotWithoutBoard => "remove `slot`, or write the board that the module is in".to_owned(),
            Self::NoBoards => {
                "add a `[[board]]`, or write `board = \"none\"` for a module that is in no board".to_owned()
            }
            Self::OtherServer { .. } => {
                "write `role = \"agent\"`: rk1 installs only modules of its own kinds as servers".to_owned()
            }
            Self::KeyOfHost { .. } => "remove it: rk1 does not configure the machine".to_owned(),
            Self::UnknownBoard { nearest: Some(board), .. } => format!("did you mean `{board}`?"),
            Self::UnknownBoard { known, .. } | Self::WhichBoard { known } => {
                format!("write `board = …` with one of {}", known.join(", "))
            }
            Self::NotADestination { .. } => {
                "write `user@host`, or a host of your ssh configuration, such as `root@172.16.10.221`"
                    .to_owned()
            }
            Self::DuplicateHostKey { .. } => {
                "give each node its own key: a node with the key of another one can impersonate it".to_owned()
            }
            Self::NoServer => "write `role = \"server\"` for one node, or for three".to_owned(),
            Self::EvenServers { count } => format!(
                "use {} or {} servers: etcd needs a majority, which an even number only makes larger",
                count - 1,
                count + 1
            ),
        };
        Some(instead)
    }
}

/// The boards that a node can be in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Boards<'a> {
    pub(super) names: &'a [&'a Label],
    /// Whether the file has boards, valid or not.
    pub(super) are_written: bool,
}

/// The nodes, in the order of the file.
pub(super) fn resolve(
    nodes: &[written::Node],
    boards: Boards<'_>,
    file: Span,
    pairs: &mut Pairs,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<Vec<Node>> {
    let resolved: Vec<_> =
        nodes.iter().map(|node| resolve_node(node, boards, pairs, secrets, problems)).collect();
    note_duplicates(nodes, &resolved, problems);
    if pairs.first().is_some() {
        let names = nodes.iter().zip(&resolved);
        let names =
            names.filter_map(|(node, resolved)| Some((node.name.as_ref()?.span, &resolved.as_ref()?.name)));
        note_session_names(&names.collect::<Vec<_>>(), problems);
    }
    note_quorum(nodes, file, problems);
    resolved.into_iter().collect()
}

fn resolve_node(
    node: &written::Node,
    boards: Boards<'_>,
    pairs: &mut Pairs,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<Node> {
    let name = resolve_name(node, problems);
    let module = node.kind.as_ref().map_or(Module::DEFAULT, |kind| kind.value);
    let place = resolve_place(node, module, boards, problems);
    let v4 = node.address.as_ref().and_then(|text| parsed(text, parse_host::<Ipv4Addr>, problems));
    let key = Ipv6Key {
        table: "[[node]]",
        header: node.span,
        name: "address-ipv6",
        example: "fd00:172:16:10::221/64",
        text: node.address_ipv6.as_ref(),
    };
    let address = pairs.join(v4, key, parse_host::<Ipv6Addr>, problems);
    let interface = interface::resolve(node.interface.as_ref(), problems);
    if module.hardware.is_none() {
        note_keys_of_hosts(node, module.word, problems);
    }
    let asn = match &node.asn {
        Some(number) => Some(Spanned::new(asn(number, problems)?, number.span)),
        None => None,
    };
    let role = node.role.as_ref().map(|role| role.value);
    let k3s = match &node.k3s {
        Some(written) => WrittenSettings::of_node(written, role).resolve(problems),
        None => Some(NodeSettings::default()),
    };
    let taint = node.k3s.as_ref().and_then(|k3s| k3s.taints.as_deref()?.first()).map(|text| text.span);
    let ssh_host_key = match (&node.ssh_host_key, &name) {
        (None, _) if module.hardware.is_none() => Some(None),
        (Some(text), None) => secrets.find(text, problems).map(Some),
        (text, Some(name)) => {
            secrets.find_or_default(text.as_ref(), &format!("{name}-ssh"), problems).map(Some)
        }
        (None, None) => None,
    };
    let ssh = match &node.ssh {
        Some(text) if is_ssh_destination(&text.value) => Some(text.value.clone()),
        Some(text) => {
            problems.error(text.span, NodeMistake::NotADestination { text: text.value.clone() });
            None
        }
        None => address.map(|address| format!("root@{}", address.v4().addr())),
    };
    Some(Node {
        name: name?,
        place: place.ok()?,
        module,
        address: address?,
        interface: interface?,
        role: role?,
        asn,
        ssh: ssh?,
        ssh_host_key: ssh_host_key?,
        k3s: k3s?,
        taint,
    })
}

fn resolve_name(node: &written::Node, problems: &mut Problems) -> Option<Label> {
    let text = node.name.as_ref()?;
    let name = problems.take(text.span, Label::parse(&text.value))?;
    if RESERVED.contains(&name.as_str()) {
        problems.error(text.span, NodeMistake::ReservedName { name: name.clone() });
    }
    Some(name)
}

/// Returns the slot that the node is in. `Unresolved` means that a problem has been noted.
fn resolve_place(
    node: &written::Node,
    module: &Module,
    boards: Boards<'_>,
    problems: &mut Problems,
) -> Result<Option<Place>, Unresolved> {
    let is_elsewhere = match &node.board {
        Some(text) => text.value == NO_BOARD,
        None => module.hardware.is_none() && node.slot.is_none(),
    };
    match &node.slot {
        Some(slot) if is_elsewhere => {
            problems.error(slot.span, NodeMistake::SlotWithoutBoard);
            Err(Unresolved)
        }
        None if is_elsewhere => Ok(None),
        None => {
            problems.error(node.span, NodeMistake::MissingSlot);
            Err(Unresolved)
        }
        Some(slot) => {
            let number = u8::try_from(slot.value).ok().filter(|number| (1..=SLOTS).contains(number));
            let number = problems.take(slot.span, number.ok_or(NodeMistake::NoSuchSlot { slot: slot.value }));
            let board = resolve_board(node, boards, problems);
            let place = board.zip(number).map(|(board, slot)| Place { board, slot });
            place.map(Some).ok_or(Unresolved)
        }
    }
}

/// Notes what only a host of NixOS can have.
fn note_keys_of_hosts(node: &written::Node, kind: &'static str, problems: &mut Problems) {
    if let Some(role) = node.role.as_ref().filter(|role| role.value == Role::Server) {
        problems.error(role.span, NodeMistake::OtherServer { kind });
    }
    let keys = [
        ("interface", node.interface.as_ref().map(|interface| interface.span)),
        ("storage", node.storage.as_ref().map(|text| text.span)),
        ("k3s", node.k3s.as_ref().map(|k3s| k3s.span)),
    ];
    for (key, span) in keys {
        if let Some(span) = span {
            problems.error(span, NodeMistake::KeyOfHost { key, kind });
        }
    }
}

/// Returns the board that the node is in. It need not be written where there is only one.
fn resolve_board(
    node: &written::Node,
    Boards { names: boards, are_written }: Boards<'_>,
    problems: &mut Problems,
) -> Option<Label> {
    let known = || boards.iter().map(|board| format!("`{board}`")).collect();
    let Some(text) = &node.board else {
        return match boards {
            [only] => Some((*only).clone()),
            [] => {
                // What is wrong with written boards has been noted already.
                if !are_written {
                    problems.error(node.span, NodeMistake::NoBoards);
                }
                None
            }
            _ => {
                problems.error(node.span, NodeMistake::WhichBoard { known: known() });
                None
            }
        };
    };
    let found = boards.iter().find(|board| board.as_str() == text.value).map(|board| (*board).clone());
    if found.is_none() {
        let nearest = nearest(&text.value, boards.iter().map(|board| board.as_str())).map(str::to_owned);
        let mistake = NodeMistake::UnknownBoard { board: text.value.clone(), nearest, known: known() };
        problems.error(text.span, mistake);
    }
    found
}

fn note_duplicates(nodes: &[written::Node], resolved: &[Option<Node>], problems: &mut Problems) {
    let mut names = FirstUse::default();
    let mut slots = FirstUse::default();
    let mut keys = FirstUse::default();
    for (written, node) in
        nodes.iter().zip(resolved).filter_map(|(written, node)| Some((written, node.as_ref()?)))
    {
        let Some(name) = written.name.as_ref() else { continue };
        if let Some(first) = names.earlier(&node.name, name.span) {
            let mistake = NodeMistake::DuplicateName { name: node.name.clone() };
            problems.collision(name.span, mistake, first, "first used here");
            continue;
        }
        if let (Some(slot), Some(place)) = (&written.slot, &node.place)
            && let Some(first) = slots.earlier((&place.board, place.slot), slot.span)
        {
            let mistake = NodeMistake::SlotTaken { board: place.board.clone(), slot: place.slot };
            problems.collision(slot.span, mistake, first, "first used here");
        }
        let Some(key) = &node.ssh_host_key else { continue };
        let span = written.ssh_host_key.as_ref().map_or(name.span, |text| text.span);
        if let Some(first) = keys.earlier(key, span) {
            let mistake = NodeMistake::DuplicateHostKey { key: key.as_str().to_owned() };
            problems.collision(span, mistake, first, "first used here");
        }
    }
}

/// Notes AS numbers of nodes in a cluster without BGP, and nodes whose routes a router would not use beside those of others.
pub(super) fn note_asns(nodes: &[Node], has_bgp: bool, bgp: Option<&Bgp>, problems: &mut Problems) {
    let own = || nodes.iter().filter_map(|node| node.asn);
    for asn in own().filter(|_| !has_bgp) {
        problems.error(asn.span, NodeMistake::AsnWithoutBgp);
    }
    let (Some(first), Some(bgp)) = (own().next(), bgp) else { return };
    for router in &bgp.routers {
        let is_internal = |node: &&Node| node.asn.map_or(bgp.asn, |asn| asn.value) == router.asn;
        let internal: Vec<_> = nodes.iter().filter(is_internal).collect();
        if let Some(node) = internal.first().filter(|_| internal.len() < nodes.len()) {
            let mistake = NodeMistake::MixedAsns { router: router.name.clone(), node: node.name.clone() };
            problems.warning(node.asn.map_or(first.span, |asn| asn.span), mistake);
        }
    }
}

/// etcd keeps working while more than half of its members do.
fn note_quorum(nodes: &[written::Node], file: Span, problems: &mut Problems) {
    let roles = || nodes.iter().filter_map(|node| node.role.as_ref());
    let servers: Vec<_> = roles().filter(|role| role.value == Role::Server).collect();
    match servers.as_slice() {
        [] if roles().count() == nodes.len() => {
            problems.error(nodes.first().map_or(file, |node| node.span), NodeMistake::NoServer);
        }
        [.., last] if servers.len() % 2 == 0 => {
            problems.error(last.span, NodeMistake::EvenServers { count: servers.len() });
        }
        _ => {}
    }
}
