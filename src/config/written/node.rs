//! `[[node]]`: the nodes, most of which are modules in the slots of the boards.

use thiserror::Error;

use super::interface::Interface;
use super::k3s::NodeK3s;
use super::leaf::{Integer, Text};
use super::shape::{Decode, Required, TomlValue};
use super::table::{choice, table};
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::modules::{MODULES, Module};
use crate::config::source::Spanned;

table! {
    /// A node of the cluster: a module in a slot of a board, or a machine elsewhere.
    pub struct Node {
        /// Host name of the node: a DNS label (RFC 1123).
        "name" name: Required<Text> = "rk1-01",
        /// What the node is. An `other` machine gets no image and joins by itself: `rk1 join` prints how. [default: rk1]
        "kind" kind: Option<Spanned<&'static Module>> = "other",
        /// Name of the board that the module is in, or `none` if it is in none. Required if the cluster has several boards.
        "board" board: Option<Text> = "turing-pi",
        /// Slot of the board, 1 to 4. Required for a module in a board.
        #[schemars(range(min = 1, max = 4))]
        "slot" slot: Option<Integer> = 1,
        /// Address and prefix length of the node.
        "address" address: Required<Text> = "172.16.10.221/24",
        /// IPv6 address and prefix length of the node, in a dual-stack cluster.
        "address-ipv6" address_ipv6: Option<Text> = "fd00:172:16:10::221/64",
        /// Settings that override `[network.interface]` on this node.
        "interface" interface: Option<Interface>,
        /// Data disk of this node, instead of `device` in `[storage]`: the device of a whole disk; `none` if there is no disk; or
        /// `UUID=` and the UUID of an ext4 or XFS filesystem, which is used as it is and never formatted.
        "storage" storage: Option<Text> = "/dev/sda",
        /// Settings of k3s on this node, in addition to those in `[k3s]`.
        "k3s" k3s: Option<NodeK3s>,
        /// Role of the node in the cluster.
        "role" role: Required<Spanned<Role>> = "server",
        /// Autonomous system number of this node, instead of that in `[bgp]`. It needs Cilium 1.18 or newer.
        #[schemars(range(min = 1, max = 4_294_967_295_i64))]
        "asn" asn: Option<Integer> = 64521,
        /// Destination for ssh: `user@host`, or a host of your ssh configuration. [default: root at the node's address]
        "ssh" ssh: Option<Text> = "rk1-01",
        /// Name of the secret that holds the SSH host key: Ed25519, without a passphrase. [default: the node's name and `-ssh`]
        "ssh-host-key" ssh_host_key: Option<Text> = "rk1-01-ssh",
    }
}

impl Decode for Spanned<&'static Module> {
    fn decode(path: &str, value: &TomlValue<'_>, problems: &mut Problems) -> Option<Self> {
        let text = Text::decode(path, value, problems)?;
        let found = Module::of_word(&text.value).map(|module| Spanned::new(module, text.span));
        if found.is_none() {
            problems.error(text.span, UnknownKind { word: text.value });
        }
        found
    }
}

#[derive(Debug, Error)]
#[error("`{word}` is not a value of `kind`")]
struct UnknownKind {
    word: String,
}

impl Mistake for UnknownKind {
    fn hint(&self) -> Option<String> {
        let words: Vec<_> = MODULES.iter().map(|module| format!("`{}`", module.word)).collect();
        Some(match Module::meant(&self.word) {
            Some(word) => format!("write `{word}`; the kinds are {}", words.join(", ")),
            None => format!("write one of {}: `other` is any machine that joins by itself", words.join(", ")),
        })
    }
}

choice! {
    /// Role of a node in the cluster.
    pub enum Role {
        /// Runs the control plane, a member of etcd, and workloads.
        Server = "server",
        /// Runs workloads only.
        Agent = "agent",
    }
}
