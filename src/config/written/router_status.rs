//! `[bgp.router.status]`: how `rk1 status` queries a router.

use super::leaf::{Switch, Text};
use super::table::table;

table! {
    /// How `rk1 status` queries the router.
    pub struct RouterStatus {
        /// Whether `rk1 status` queries the router. [default: true]
        "enable" enable: Option<Switch> = true,
        /// User of `RouterOS` whose group has the policies `read` and `rest-api`.
        "user" user: Option<Text> = "rk1",
        /// Name of the secret that holds the user's password. [default: read from the environment]
        "password" password: Option<Text> = "router-password",
        /// URL of `RouterOS`'s REST API. [default: https at the router's address]
        "url" url: Option<Text> = "https://172.16.10.1",
        /// SHA-256 fingerprint of `RouterOS`'s certificate. [default: a trusted authority must have signed the
        /// certificate]
        "fingerprint" fingerprint: Option<Text>
            = "5e7f1a0c93b1d4a86f2e0d7c4b3a29180716253443526170f0e1d2c3b4a59687",
        /// Destination for ssh, on every other platform. [default: root at the router's address, and `vyos` on `VyOS`]
        "ssh" ssh: Option<Text> = "root@172.16.10.1",
    }
}
