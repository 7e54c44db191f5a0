//! `[[bgp.router]]`: the routers.

use super::leaf::{Integer, Text};
use super::router_status::RouterStatus;
use super::shape::Required;
use super::table::{choice, table};
use crate::config::source::Spanned;

table! {
    /// A router with which each node has a session.
    pub struct Router {
        /// Name of the router: a DNS label.
        "name" name: Required<Text> = "mikrotik",
        /// Address of the router.
        "address" address: Required<Text> = "172.16.10.1",
        /// IPv6 address of the router, in a dual-stack cluster: the nodes have a second session with it.
        "address-ipv6" address_ipv6: Option<Text> = "fd00:172:16:10::1",
        /// Autonomous system number of the router. Left out: that of the nodes.
        #[schemars(range(min = 1, max = 4_294_967_295_i64))]
        "asn" asn: Option<Integer> = 64512,
        /// What runs on it.
        "platform" platform: Required<Spanned<Platform>> = "routeros",
        /// Version of what runs on it.
        "version" version: Required<Text> = "7.18",
        /// Name of the secret that holds the sessions' password. Left out: none.
        "password" password: Option<Text> = "bgp-password",
        /// What stands before a node's name in the name of its session on the router. Left out: nothing.
        "session-prefix" session_prefix: Option<Text> = "srv-",
        /// How `rk1 status` asks it what it sees.
        "status" status: Option<RouterStatus>,
    }
}

choice! {
    /// What runs on a router.
    pub enum Platform {
        Routeros = "routeros",
        Frr = "frr",
        Bird = "bird",
        Vyos = "vyos",
        Opnsense = "opnsense",
    }
}
