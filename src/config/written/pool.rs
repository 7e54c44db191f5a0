//! `[[pool]]`: pools of external addresses for services.

use super::leaf::{Named, Text};
use super::shape::Required;
use super::table::{choice, table};
use crate::config::source::Spanned;

table! {
    /// A pool of external addresses for services.
    pub struct Pool {
        /// Name of the pool: a DNS label.
        "name" name: Required<Text> = "lan",
        /// Ranges of addresses: networks, or the first and the last address. The first and the last address of a network are
        /// not assigned.
        "ranges" ranges: Required<Spanned<Vec<Text>>> = ["172.16.10.200-172.16.10.219"],
        /// How the addresses are announced. [default: bgp, or l2 without `[bgp]`]
        "announce" announce: Option<Spanned<Announce>> = "l2",
        /// Names of the routers to which the addresses are announced by BGP. [default: all]
        "routers" routers: Option<Spanned<Vec<Text>>> = ["mikrotik"],
        /// The label of the services that use this pool, instead of the pools without one: its key and its value.
        "service-label" service_label: Option<Spanned<Named<Text>>> = serde_json::json!({"example.org/pool": "lan"}),
    }
}

choice! {
    /// How addresses are announced.
    pub enum Announce {
        /// To the routers: every node is a next hop, and the addresses lie outside the nodes' network.
        Bgp = "bgp",
        /// In the nodes' own network: one node answers for each address (ARP, NDP), another one when it fails. No router is
        /// needed.
        L2 = "l2",
    }
}
