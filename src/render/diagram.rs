//! A picture of the topology as SVG: boards, slots, nodes, sessions, pool and gateway.
//!
//! Lengths are in the picture's own unit, a CSS pixel at its natural size.

mod shapes;

use tera::Context;

use super::error::RenderError;
use super::xml;
use crate::config::cluster::{Board, Cluster, Gateway, Node, Router, SLOTS, ipv6_session};
use shapes::{
    Announcement, BoardBox, Clients, FittedText, NodeCard, Picture, PoolBar, RouterBox, SessionLine, SlotBox,
};

const MARGIN: u32 = 40;
const SLOT_WIDTH: u32 = 178;
const SLOT_HEIGHT: u32 = 146;
const SLOT_GAP: u32 = 16;
const BOARD_PADDING: u32 = 24;
/// The height of the board's label below its slots.
const BOARD_FOOTER: u32 = 30;
const BOARD_WIDTH: u32 = SLOTS as u32 * (SLOT_WIDTH + SLOT_GAP) - SLOT_GAP + 2 * BOARD_PADDING;
const BOARD_HEIGHT: u32 = BOARD_PADDING + SLOT_HEIGHT + BOARD_PADDING + BOARD_FOOTER;
const BOARD_GAP: u32 = 40;
const ROUTER_TOP: u32 = 116;
const ROUTER_WIDTH: u32 = 280;
const ROUTER_HEIGHT: u32 = 138;
const ROUTER_GAP: u32 = 60;
/// The box of the clients, left of the routers.
const CLIENTS_WIDTH: u32 = 186;
const BOARD_TOP: u32 = 350;
const POOL_TOP: u32 = BOARD_TOP + BOARD_HEIGHT + 62;
const POOL_HEIGHT: u32 = 84;
/// The width of a character as a part of its height: a cautious average over the fonts.
const CHARACTER_WIDTH: f64 = 0.61;
/// The smallest legible size.
const LEAST_SIZE: f64 = 10.0;

/// Draws a cluster.
pub fn svg(cluster: &Cluster) -> Result<String, RenderError> {
    let tera = xml::templates(&[("topology.svg", include_str!("diagram/topology.svg.tera"))])?;
    Ok(tera.render("topology.svg", &Context::from_serialize(&picture(cluster))?)?)
}

fn picture(cluster: &Cluster) -> Picture<'_> {
    let routers = count(cluster.routers().len());
    let groups = groups(cluster);
    let boards = count(groups.len());
    let boards_width = boards * BOARD_WIDTH + boards.saturating_sub(1) * BOARD_GAP;
    let routers_width = routers * ROUTER_WIDTH + routers.saturating_sub(1) * ROUTER_GAP;
    // The clients are on the left. The same width stays free on the right.
    let top_width = routers_width + 2 * (CLIENTS_WIDTH + ROUTER_GAP);
    let inner = boards_width.max(top_width);
    let width = inner + 2 * MARGIN;
    let boards_left = MARGIN + (inner - boards_width) / 2;
    let routers_left = MARGIN + (inner - routers_width) / 2;

    let board_boxes: Vec<_> = groups
        .iter()
        .zip(0..)
        .map(|(group, position)| {
            board_box(cluster, group, boards_left + position * (BOARD_WIDTH + BOARD_GAP))
        })
        .collect();
    let router_boxes: Vec<_> = cluster
        .routers()
        .iter()
        .zip(0..)
        .map(|(router, position)| {
            router_box(cluster, router, routers_left + position * (ROUTER_WIDTH + ROUTER_GAP))
        })
        .collect();
    let host = joined(cluster.gateways.iter().map(Gateway::listed_hosts), ", ");
    let ipv6 = joined(cluster.gateways.iter().filter_map(|gateway| gateway.address.v6()), ", ");
    let gateway_host = (!ipv6.is_empty()).then(|| format!("{ipv6} · {host}"));
    let chip_width = 340;
    Picture {
        width,
        height: POOL_TOP + POOL_HEIGHT + MARGIN,
        cluster: cluster.name.as_str(),
        domain: cluster.domain.as_str(),
        summary: summary(cluster),
        clients: Clients {
            width: CLIENTS_WIDTH,
            top: ROUTER_TOP,
            middle: ROUTER_TOP + ROUTER_HEIGHT / 2,
            arrow_end: routers_left,
            host: fitted(&host, CLIENTS_WIDTH - 24, 13.0),
        },
        sessions: session_lines(cluster, &router_boxes, &board_boxes, &groups),
        announcements: occupied(&board_boxes)
            .map(|slot| Announcement { x: slot.center, y1: BOARD_TOP + BOARD_HEIGHT, y2: POOL_TOP })
            .collect(),
        routers: router_boxes,
        boards: board_boxes,
        pool: PoolBar {
            top: POOL_TOP,
            width: inner,
            range: ranges(cluster, false),
            range_ipv6: Some(ranges(cluster, true)).filter(|ranges| !ranges.is_empty()),
            announced: announced(cluster),
            chip_left: MARGIN + inner - chip_width - 16,
            chip_width,
            gateway: joined(cluster.gateways.iter().map(|gateway| gateway.address.v4()), ", "),
            host: fitted(gateway_host.as_deref().unwrap_or(&host), chip_width - 32, 14.0),
        },
    }
}

/// Returns a description of the picture, for screen readers.
fn summary(cluster: &Cluster) -> String {
    let nodes: Vec<String> = cluster
        .nodes
        .iter()
        .map(|node| {
            format!("{} ({}, {})", node.name, node.role.word(), joined(node.address.addresses().each(), ", "))
        })
        .collect();
    let routers: Vec<String> = cluster
        .routers()
        .iter()
        .map(|router| format!("{} ({})", router.name, joined(router.address.each(), ", ")))
        .collect();
    format!(
        "Nodes {} announce addresses of {} {}. The gateway is {}.",
        nodes.join(", "),
        joined(cluster.pools.iter().flat_map(|pool| &pool.ranges).map(|range| range.value), " and "),
        match routers.as_slice() {
            [] => "in their own network".to_owned(),
            routers => format!("to {}", routers.join(", ")),
        },
        joined(cluster.gateways.iter().flat_map(|gateway| gateway.address.each()), " and "),
    )
}

/// Returns the ranges of a family as a list.
fn ranges(cluster: &Cluster, is_ipv6: bool) -> String {
    let ranges = cluster.pools.iter().flat_map(|pool| &pool.ranges).map(|range| range.value);
    joined(ranges.filter(|range| range.is_ipv6() == is_ipv6), ", ")
}

fn announced(cluster: &Cluster) -> &'static str {
    match (cluster.bgp.is_some(), cluster.announces_l2()) {
        (_, false) => "addresses of services, announced by every node",
        (false, true) => "addresses of services in the nodes' network, each announced by one node",
        (true, true) => "addresses of services, announced by every node or in the nodes' network",
    }
}

fn joined(values: impl Iterator<Item: ToString>, between: &str) -> String {
    values.map(|value| value.to_string()).collect::<Vec<_>>().join(between)
}

fn router_box(cluster: &Cluster, router: &Router, left: u32) -> RouterBox {
    let kind = match &cluster.bgp {
        Some(bgp) if router.asn != bgp.asn => format!("eBGP to AS {}", bgp.asn),
        _ => "iBGP".to_owned(),
    };
    let timers = cluster.bgp.as_ref();
    let timers = timers.map(|bgp| format!("hold {} s, keepalive {} s", bgp.hold_time, bgp.keepalive));
    let families = router.address.each().count();
    let sessions = match cluster.nodes.len() * families {
        1 => "1 session".to_owned(),
        count => format!("{count} sessions"),
    };
    let password = if router.password.is_some() { " · password" } else { "" };
    let sessions = format!("{sessions} · {kind}{password}");
    RouterBox {
        left,
        top: ROUTER_TOP,
        center: left + ROUTER_WIDTH / 2,
        name: fitted(router.name.as_str(), ROUTER_WIDTH - 150, 19.0),
        platform: format!("{} {}", router.platform.name, router.version),
        address: router.address.v4().to_string(),
        address_ipv6: router
            .address
            .v6()
            .map(|address| fitted(&address.to_string(), ROUTER_WIDTH - 40, 13.0)),
        asn: router.asn,
        sessions: fitted(&sessions, ROUTER_WIDTH - 40, 13.0),
        timers: timers.unwrap_or_default(),
    }
}

/// Nodes that are drawn in one box: those in the slots of a board, or some that are in no board.
struct Group<'a> {
    board: Option<&'a Board>,
    /// What is in each place, from left to right.
    nodes: Vec<Option<&'a Node>>,
}

/// The boards, and behind them the nodes that are in none.
fn groups(cluster: &Cluster) -> Vec<Group<'_>> {
    let elsewhere: Vec<_> = cluster.nodes.iter().filter(|node| node.place.is_none()).map(Some).collect();
    let elsewhere = elsewhere.chunks(SLOTS.into()).map(|nodes| Group { board: None, nodes: nodes.to_vec() });
    let boards = cluster.boards.iter().map(|board| {
        let node = |slot| cluster.nodes.iter().find(|node| node.is_in(&board.name, slot));
        Group { board: Some(board), nodes: (1..=SLOTS).map(node).collect() }
    });
    boards.chain(elsewhere).collect()
}

fn board_box(cluster: &Cluster, group: &Group<'_>, left: u32) -> BoardBox {
    let slots = group.nodes.iter().zip(1_u8..).map(|(node, number)| {
        let slot_left = left + BOARD_PADDING + u32::from(number - 1) * (SLOT_WIDTH + SLOT_GAP);
        SlotBox {
            left: slot_left,
            top: BOARD_TOP + BOARD_PADDING,
            center: slot_left + SLOT_WIDTH / 2,
            label: match node {
                Some(node) if group.board.is_none() => node.module.name.to_owned(),
                _ => format!("slot {number}"),
            },
            node: node.map(|node| node_card(cluster, node)),
        }
    });
    BoardBox {
        left,
        top: BOARD_TOP,
        name: fitted(group.board.map_or("", |board| board.name.as_str()), BOARD_WIDTH / 2, 17.0),
        bmc: group.board.map(|board| board.bmc.value.to_string()),
        slots: slots.collect(),
    }
}

fn node_card(cluster: &Cluster, node: &Node) -> NodeCard {
    NodeCard {
        name: fitted(node.name.as_str(), SLOT_WIDTH - 32, 18.0),
        address: node.address.v4().addr().to_string(),
        address_ipv6: node
            .address
            .v6()
            .map(|address| fitted(&address.addr().to_string(), SLOT_WIDTH - 32, 12.0)),
        role: node.role.word(),
        is_first_server: node.name == cluster.k3s.first_server,
        device: fitted(&disks(cluster, node), SLOT_WIDTH - 32, 12.0),
    }
}

/// Returns the data disk of a node, and the number of its further disks.
fn disks(cluster: &Cluster, node: &Node) -> String {
    if !node.is_host() {
        return "joins by itself".to_owned();
    }
    let data = cluster.storage.data_disk(&node.name);
    let data = data.map_or_else(|| "no data disk".to_owned(), ToString::to_string);
    match cluster.storage.further_disks(&node.name).count() {
        0 => data,
        further => format!("{data} + {further}"),
    }
}

fn occupied(boards: &[BoardBox]) -> impl Iterator<Item = &SlotBox> {
    boards.iter().flat_map(|board| &board.slots).filter(|slot| slot.node.is_some())
}

fn session_lines(
    cluster: &Cluster,
    routers: &[RouterBox],
    boards: &[BoardBox],
    groups: &[Group<'_>],
) -> Vec<SessionLine> {
    let slots: Vec<_> = boards
        .iter()
        .zip(groups)
        .flat_map(|(drawn, group)| drawn.slots.iter().zip(&group.nodes))
        .filter_map(|(slot, node)| Some((slot, (*node)?)))
        .collect();
    let start = ROUTER_TOP + ROUTER_HEIGHT;
    let of_router = |(drawn, router): (&RouterBox, &Router)| {
        slots
            .iter()
            .map(|(slot, node)| SessionLine {
                title: title(router, node),
                x1: drawn.center,
                y1: start,
                x2: slot.center,
                y2: slot.top,
                edge: BOARD_TOP,
                bend: u32::midpoint(start, BOARD_TOP),
            })
            .collect::<Vec<_>>()
    };
    routers.iter().zip(cluster.routers()).flat_map(of_router).collect()
}

/// The meaning of a line.
fn title(router: &Router, node: &Node) -> String {
    let session = router.session_name(&node.name);
    let (from, to) = (node.address.addresses(), router.address);
    let ipv6 = from
        .v6()
        .zip(to.v6())
        .map(|(from, to)| format!("; session {}, {from} to {to}", ipv6_session(&session)));
    let (from, to) = (from.v4(), to.v4());
    format!("{}: session {session}, {from} to {to}{}", router.name, ipv6.unwrap_or_default())
}

/// Returns the text at the largest size up to `largest` at which it is no wider than `width`, shortened if it would not be
/// legible.
fn fitted(text: &str, width: u32, largest: f64) -> FittedText {
    let length = |text: &str| f64::from(count(text.chars().count()).max(1)) * CHARACTER_WIDTH;
    let size = (f64::from(width) / length(text)).min(largest);
    if size >= LEAST_SIZE {
        // One decimal is precise enough, and gives the same text on every machine.
        return FittedText { text: text.to_owned(), size: (size * 10.0).floor() / 10.0 };
    }
    let fits = |kept: &String| length(kept) * LEAST_SIZE <= f64::from(width);
    let shorter = (1..text.chars().count()).rev().map(|kept| text.chars().take(kept).chain(['…']).collect());
    FittedText { text: shorter.into_iter().find(fits).unwrap_or_default(), size: LEAST_SIZE }
}

fn count(items: usize) -> u32 {
    u32::try_from(items).unwrap_or(u32::MAX)
}
