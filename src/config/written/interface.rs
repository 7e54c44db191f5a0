//! `[network.interface]` and `interface` of a node: the interface that has the node's address.

use super::leaf::{Integer, Switch, Text};
use super::shape::Required;
use super::table::table;
use crate::config::source::Spanned;

table! {
    /// The interface that has the node's address. Other interfaces are left alone.
    pub struct Interface {
        /// Name of the wired interface; `*` and `?` stand for any characters, and for one. [default: e*]
        "name" name: Option<Text> = "end0",
        /// MAC address of the wired interface, instead of its name. Only for a single node.
        "mac" mac: Option<Text> = "02:00:5e:10:00:01",
        /// Number of the VLAN that the nodes' network is, if its packets have a tag.
        #[schemars(range(min = 1, max = 4094))]
        "vlan" vlan: Option<Integer> = 42,
        /// Length of the longest packet, in bytes. [default: that of the network device, 1500]
        #[schemars(range(min = 1280, max = 9216))]
        "mtu" mtu: Option<Integer> = 9000,
        /// Whether the router's DHCP server assigns the IPv4 address, by a reservation of the address in this file.
        /// [default: false]
        "dhcp" dhcp: Option<Switch> = true,
        /// Routes in addition to that of the gateway.
        "routes" routes: Option<Vec<Route>> = serde_json::json!([{"to": "10.8.0.0/16", "via": "172.16.10.254"}]),
        /// Domains that names of one label are looked up in.
        "search-domains" search_domains: Option<Spanned<Vec<Text>>> = ["home.arpa"],
    }
}

table! {
    /// A route by another router than the gateway.
    pub struct Route {
        /// The network that the route leads to.
        "to" to: Required<Text> = "10.8.0.0/16",
        /// The router, in the nodes' network.
        "via" via: Required<Text> = "172.16.10.254",
    }
}
