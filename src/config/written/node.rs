//! `[[node]]`: the modules in the slots of the boards.

use super::leaf::{Integer, Text};
use super::shape::Required;
use super::table::{choice, table};
use crate::config::source::Spanned;

table! {
    /// An RK1 module.
    pub struct Node {
        /// Host name: a DNS label (RFC 1123).
        "name" name: Required<Text> = "rk1-01",
        /// The board it is in. Needed only where there are several.
        "board" board: Option<Text> = "turing-pi",
        /// Slot on the board, 1 to 4.
        #[schemars(range(min = 1, max = 4))]
        "slot" slot: Required<Integer> = 1,
        /// Address and prefix length.
        "address" address: Required<Text> = "172.16.10.221/24",
        /// IPv6 address and prefix length, in a dual-stack cluster.
        "address-ipv6" address_ipv6: Option<Text> = "fd00:172:16:10::221/64",
        /// What it does in the cluster.
        "role" role: Required<Spanned<Role>> = "server",
        /// Where ssh reaches the node: `user@host`, or a host of your ssh configuration. Left out: root at its address.
        "ssh" ssh: Option<Text> = "rk1-01",
        /// Name of the secret that holds sshd's own key, ed25519 without a passphrase. Left out: the node makes one.
        "ssh-host-key" ssh_host_key: Option<Text> = "rk1-01-ssh",
    }
}

choice! {
    /// What a node does in the cluster.
    pub enum Role {
        /// Runs the control plane and a member of etcd, and workloads too.
        Server = "server",
        /// Runs workloads only.
        Agent = "agent",
    }
}
