//! `[gateway]`: the gateway, through which host names are reached from outside.

use super::leaf::Text;
use super::shape::Required;
use super::table::table;

table! {
    /// The gateway, through which all host names are reached from outside.
    pub struct Gateway {
        /// Address of the gateway, in the pool.
        "address" address: Required<Text> = "10.200.200.1",
        /// IPv6 address of the gateway, in the IPv6 pool.
        "address-ipv6" address_ipv6: Option<Text> = "fd00:10:200:200::1",
        /// The host names that it serves, as a wildcard. [default: all names below the cluster's domain]
        "host" host: Option<Text> = "*.example.org",
    }
}
