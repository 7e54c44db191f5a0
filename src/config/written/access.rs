//! `[access]`: who may log in.

use super::leaf::Text;
use super::shape::Required;
use super::table::table;

table! {
    /// The people who may log in to the nodes.
    pub struct Access {
        /// Public SSH keys that may log in to the nodes as root. Passwords are not accepted.
        "ssh-keys" ssh_keys: Required<Vec<Text>> = ["ssh-ed25519 AAAA… you@your-machine"],
    }
}
