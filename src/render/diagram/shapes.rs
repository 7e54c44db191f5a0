//! The shapes of the picture, as its template draws them.

use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Picture<'a> {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) cluster: &'a str,
    pub(super) domain: &'a str,
    pub(super) summary: String,
    pub(super) clients: Clients,
    pub(super) routers: Vec<RouterBox>,
    pub(super) boards: Vec<BoardBox>,
    pub(super) sessions: Vec<SessionLine>,
    pub(super) announcements: Vec<Announcement>,
    pub(super) pool: PoolBar,
}

/// A text and the size at which it fits its place.
#[derive(Serialize)]
pub(super) struct FittedText {
    pub(super) text: String,
    pub(super) size: f64,
}

#[derive(Serialize)]
pub(super) struct Clients {
    pub(super) width: u32,
    pub(super) top: u32,
    pub(super) middle: u32,
    pub(super) arrow_end: u32,
    pub(super) host: FittedText,
}

#[derive(Serialize)]
pub(super) struct RouterBox {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) center: u32,
    pub(super) name: FittedText,
    pub(super) platform: String,
    pub(super) address: String,
    pub(super) address_ipv6: Option<FittedText>,
    pub(super) asn: u32,
    pub(super) sessions: FittedText,
    pub(super) timers: String,
}

#[derive(Serialize)]
pub(super) struct BoardBox {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) name: FittedText,
    /// `None` for nodes that are in no board.
    pub(super) bmc: Option<String>,
    pub(super) slots: Vec<SlotBox>,
}

#[derive(Serialize)]
pub(super) struct SlotBox {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) center: u32,
    pub(super) label: String,
    pub(super) node: Option<NodeCard>,
}

#[derive(Serialize)]
pub(super) struct NodeCard {
    pub(super) name: FittedText,
    pub(super) address: String,
    pub(super) address_ipv6: Option<FittedText>,
    pub(super) role: &'static str,
    pub(super) is_first_server: bool,
    pub(super) device: FittedText,
}

/// The line of a session, from a router to a node.
#[derive(Serialize)]
pub(super) struct SessionLine {
    pub(super) title: String,
    pub(super) x1: u32,
    pub(super) y1: u32,
    pub(super) x2: u32,
    pub(super) y2: u32,
    /// The point where the line reaches the board.
    pub(super) edge: u32,
    pub(super) bend: u32,
}

/// The line from a node to the pool.
#[derive(Serialize)]
pub(super) struct Announcement {
    pub(super) x: u32,
    pub(super) y1: u32,
    pub(super) y2: u32,
}

#[derive(Serialize)]
pub(super) struct PoolBar {
    pub(super) top: u32,
    pub(super) width: u32,
    pub(super) range: String,
    pub(super) range_ipv6: Option<String>,
    pub(super) announced: &'static str,
    pub(super) chip_left: u32,
    pub(super) chip_width: u32,
    pub(super) gateway: String,
    pub(super) host: FittedText,
}
