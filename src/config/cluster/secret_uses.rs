//! The uses of each secret: its purpose, its recipients, and its place on a node. `rk1 secrets` lists them, and
//! `rk1 flash` builds seeds from them.

use super::name::Label;
use super::node::Node;
use super::resolve::Cluster;
use super::router_status::RouterAccess;
use super::secrets::SecretName;
use crate::config::written::Role;

/// The path of the SSH host key on a node, which is the default of NixOS (`services.openssh.hostKeys`).
const SSH_HOST_KEY: &str = "/etc/ssh/ssh_host_ed25519_key";

/// One use of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretUse {
    pub secret: SecretName,
    /// A description of the purpose.
    pub what: String,
    pub place: SecretPlace,
    pub recipients: Recipients,
}

/// The place of a secret's file on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretPlace {
    /// The directory of secrets, under the secret's own name.
    Secrets,
    /// The path of the SSH host key.
    SshHostKey,
}

/// The nodes that get a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipients {
    All,
    Servers,
    Only(Label),
    /// Only `rk1` itself uses the secret.
    NoNode,
}

impl SecretUse {
    /// Returns the path of the secret on a node, or `None` if no node gets it.
    #[must_use]
    pub fn path_on_node(&self) -> Option<String> {
        match (&self.recipients, self.place) {
            (Recipients::NoNode, _) => None,
            (_, SecretPlace::Secrets) => Some(self.secret.path_on_node()),
            (_, SecretPlace::SshHostKey) => Some(SSH_HOST_KEY.to_owned()),
        }
    }
}

impl Recipients {
    #[must_use]
    pub fn include(&self, node: &Node) -> bool {
        match self {
            Self::All => true,
            Self::Servers => node.role == Role::Server,
            Self::Only(name) => *name == node.name,
            Self::NoNode => false,
        }
    }

    /// Returns a description of the recipients.
    #[must_use]
    pub fn words(&self) -> &str {
        match self {
            Self::All => "every node",
            Self::Servers => "servers",
            Self::Only(name) => name.as_str(),
            Self::NoNode => "no node",
        }
    }
}

impl Cluster {
    /// Returns every use of every secret.
    #[must_use]
    pub fn secret_uses(&self) -> Vec<SecretUse> {
        let on_all = |secret: &SecretName, what: &str| SecretUse {
            secret: secret.clone(),
            what: what.to_owned(),
            place: SecretPlace::Secrets,
            recipients: Recipients::All,
        };
        let mut uses = vec![on_all(&self.k3s.token, "k3s: token with which nodes join")];
        uses.extend(
            self.streamer.iter().map(|streamer| on_all(&streamer.token, "streamer: token of Grafana")),
        );
        uses.extend(self.kubernetes_secrets().into_iter().map(|made| SecretUse {
            what: format!("Secret {}/{}, key {}", made.namespace, made.name, made.key),
            secret: made.from,
            place: SecretPlace::Secrets,
            recipients: Recipients::Servers,
        }));
        uses.extend(self.nodes.iter().filter_map(|node| {
            Some(SecretUse {
                secret: node.ssh_host_key.clone()?,
                what: "sshd: host key of the node".to_owned(),
                place: SecretPlace::SshHostKey,
                recipients: Recipients::Only(node.name.clone()),
            })
        }));
        uses.extend(self.routers().iter().filter_map(|router| {
            let RouterAccess::Rest(access) = &router.access else { return None };
            Some(SecretUse {
                secret: access.password.clone()?,
                what: format!("`rk1 status`: password on {}", router.name),
                place: SecretPlace::Secrets,
                recipients: Recipients::NoNode,
            })
        }));
        uses.extend(self.boards.iter().filter_map(|board| {
            Some(SecretUse {
                secret: board.password.clone()?,
                what: format!("`rk1 flash`: password of `{}` on the BMC of `{}`", board.user, board.name),
                place: SecretPlace::Secrets,
                recipients: Recipients::NoNode,
            })
        }));
        uses
    }
}
