//! `[bgp]`: announcement of the pool to the routers.

use super::leaf::{Integer, Text};
use super::router::Router;
use super::shape::Required;
use super::table::table;

table! {
    /// Announcement of the cluster's addresses to the router.
    pub struct Bgp {
        /// Autonomous system number of the nodes, 1 to 4294967295.
        #[schemars(range(min = 1, max = 4_294_967_295_i64))]
        "asn" asn: Required<Integer> = 64512,
        /// Range from which services get their outside address.
        "pool" pool: Required<Text> = "10.200.200.0/24",
        /// Range from which services get their outside IPv6 address, in a dual-stack cluster.
        "pool-ipv6" pool_ipv6: Option<Text> = "fd00:10:200:200::/112",
        /// Seconds without a message after which a session is down, 3 to 65535. Left out: 9.
        #[schemars(range(min = 3, max = 65535))]
        "hold-time" hold_time: Option<Integer> = 9,
        /// Seconds between two messages, 1 to 65535. Left out: 3.
        #[schemars(range(min = 1, max = 65535))]
        "keepalive" keepalive: Option<Integer> = 3,
        /// Seconds between two attempts to reach a router, 1 to 65535. Left out: 5.
        #[schemars(range(min = 1, max = 65535))]
        "connect-retry" connect_retry: Option<Integer> = 5,
        /// Seconds for which the router keeps routes while a node's agent restarts, 1 to 4095. Left out: 120. Only for a
        /// single session: one router, and IPv4 alone.
        #[schemars(range(min = 1, max = 4095))]
        "graceful-restart" graceful_restart: Option<Integer> = 120,
        /// The routers with which each node has a session.
        "router" routers: Required<Vec<Router>>,
    }
}
