//! `[network]`: the nodes' network, and the address ranges inside the cluster.

use super::interface::Interface;
use super::leaf::Text;
use super::shape::Required;
use super::table::table;
use crate::config::source::Spanned;

table! {
    /// The nodes' network, and the address ranges inside the cluster.
    pub struct Network {
        /// Default gateway of the nodes.
        "gateway" gateway: Required<Text> = "172.16.10.1",
        /// IPv6 default gateway of the nodes, in a dual-stack cluster. It requires all other keys that end in `-ipv6`.
        "gateway-ipv6" gateway_ipv6: Option<Text> = "fd00:172:16:10::1",
        /// The interface that has a node's address, for all nodes.
        "interface" interface: Option<Interface>,
        /// Name servers of the nodes. [default: the gateway]
        "nameservers" nameservers: Option<Spanned<Vec<Text>>> = ["172.16.10.1"],
        /// Time servers of the nodes. [default: those of NixOS]
        "time-servers" time_servers: Option<Vec<Text>> = ["172.16.10.1"],
        /// Range of the pods' addresses. [default: 10.42.0.0/16]
        "pods" pods: Option<Text> = "10.42.0.0/16",
        /// Range of the pods' IPv6 addresses, from /48 to /64. Each node takes a /64.
        "pods-ipv6" pods_ipv6: Option<Text> = "fd00:10:42::/56",
        /// Range of the services' addresses. [default: 10.43.0.0/16]
        "services" services: Option<Text> = "10.43.0.0/16",
        /// Range of the services' IPv6 addresses, from /108 to /124.
        "services-ipv6" services_ipv6: Option<Text> = "fd00:10:43::/112",
    }
}
