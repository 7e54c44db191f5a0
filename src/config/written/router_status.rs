//! `[bgp.router.status]`: how `rk1 status` asks a router.

use super::leaf::{Switch, Text};
use super::table::table;

table! {
    /// How `rk1 status` asks the router what it sees.
    pub struct RouterStatus {
        /// Whether it is asked. Left out: yes.
        "enable" enable: Option<Switch> = true,
        /// User of `RouterOS`, who needs no more than the group `read` and the policy `rest-api`.
        "user" user: Option<Text> = "rk1",
        /// Name of the secret that holds the user's password. Left out: the environment has it.
        "password" password: Option<Text> = "router-password",
        /// Where `RouterOS` serves its REST API. Left out: https at the router's address.
        "url" url: Option<Text> = "https://172.16.10.1",
        /// SHA-256 fingerprint of `RouterOS`'s certificate. Left out: it has to be signed by an authority that this machine
        /// trusts.
        "fingerprint" fingerprint: Option<Text>
            = "5e7f1a0c93b1d4a86f2e0d7c4b3a29180716253443526170f0e1d2c3b4a59687",
        /// Where every other platform is asked, by ssh. Left out: root at the router's address, and `vyos` on `VyOS`.
        "ssh" ssh: Option<Text> = "root@172.16.10.1",
    }
}
