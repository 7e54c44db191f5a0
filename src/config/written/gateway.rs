//! `[gateway]`: the way into the cluster from outside.

use super::leaf::Text;
use super::shape::Required;
use super::table::table;

table! {
    /// The one way in from outside, for all host names.
    pub struct Gateway {
        /// Its address, in the pool.
        "address" address: Required<Text> = "10.200.200.1",
        /// Its IPv6 address, in the IPv6 pool.
        "address-ipv6" address_ipv6: Option<Text> = "fd00:10:200:200::1",
        /// The host names that it serves. Left out: all below the cluster's domain.
        "host" host: Option<Text> = "*.example.org",
    }
}
