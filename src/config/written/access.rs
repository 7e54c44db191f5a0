//! `[access]`: who may log in.

use super::leaf::Text;
use super::shape::Required;
use super::table::table;

table! {
    /// Who may log in.
    pub struct Access {
        /// Public SSH keys of those who may log in as root. There are no passwords.
        "ssh-keys" ssh_keys: Required<Vec<Text>> = ["ssh-ed25519 AAAA… you@your-machine"],
    }
}
