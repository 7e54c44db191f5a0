//! `[bgp]`: the BGP sessions that announce the pool to the routers.

use super::leaf::{Integer, Text};
use super::router::Router;
use super::shape::{Attempt, Required};
use super::table::table;

table! {
    /// The BGP sessions that announce the addresses of services to the routers.
    pub struct Bgp {
        /// Autonomous system number of the nodes, 1 to 4294967295.
        #[schemars(range(min = 1, max = 4_294_967_295_i64))]
        "asn" asn: Required<Integer> = 64512,
        /// Range of the external addresses of services, which is announced to all routers. A `[[pool]]` can take its place.
        "pool" pool: Option<Attempt<Text>> = "10.200.200.0/24",
        /// Range of the external IPv6 addresses of services, in a dual-stack cluster.
        "pool-ipv6" pool_ipv6: Option<Text> = "fd00:10:200:200::/112",
        /// Hold time in seconds, 3 to 65535: a session without messages for this long is down. [default: 9]
        #[schemars(range(min = 3, max = 65535))]
        "hold-time" hold_time: Option<Integer> = 9,
        /// Seconds between two keepalive messages, 1 to 65535. [default: 3]
        #[schemars(range(min = 1, max = 65535))]
        "keepalive" keepalive: Option<Integer> = 3,
        /// Seconds between two attempts to connect to a router, 1 to 65535. [default: 5]
        #[schemars(range(min = 1, max = 65535))]
        "connect-retry" connect_retry: Option<Integer> = 5,
        /// Seconds for which the router keeps a node's routes while the node's Cilium agent restarts, 1 to 4095. It has an
        /// effect only with a single session: one router, and IPv4 only. [default: 120]
        #[schemars(range(min = 1, max = 4095))]
        "graceful-restart" graceful_restart: Option<Integer> = 120,
        /// The routers. Each node has a session with each of them.
        "router" routers: Required<Vec<Router>>,
    }
}
