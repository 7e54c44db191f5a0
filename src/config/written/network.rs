//! `[network]`: the nodes' network, and the ranges inside the cluster.

use super::leaf::Text;
use super::shape::Required;
use super::table::table;
use crate::config::source::Spanned;

table! {
    /// The nodes' network, and the ranges inside the cluster.
    pub struct Network {
        /// Address of the router.
        "gateway" gateway: Required<Text> = "172.16.10.1",
        /// IPv6 address of the router, in a dual-stack cluster. With it go all other keys that end in `-ipv6`.
        "gateway-ipv6" gateway_ipv6: Option<Text> = "fd00:172:16:10::1",
        /// Name servers. Left out: the gateway.
        "nameservers" nameservers: Option<Spanned<Vec<Text>>> = ["172.16.10.1"],
        /// Time servers. Left out: those of NixOS.
        "time-servers" time_servers: Option<Vec<Text>> = ["172.16.10.1"],
        /// Range of the pods' addresses. Left out: 10.42.0.0/16.
        "pods" pods: Option<Text> = "10.42.0.0/16",
        /// Range of the pods' IPv6 addresses, a /48 to /64, of which each node takes a /64.
        "pods-ipv6" pods_ipv6: Option<Text> = "fd00:10:42::/56",
        /// Range of the services' addresses. Left out: 10.43.0.0/16.
        "services" services: Option<Text> = "10.43.0.0/16",
        /// Range of the services' IPv6 addresses, a /108 to /124.
        "services-ipv6" services_ipv6: Option<Text> = "fd00:10:43::/112",
    }
}
