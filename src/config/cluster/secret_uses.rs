//! What each secret is for, on which nodes, and where it lies there: the one table from which secrets are listed and
//! seeds are filled.

use super::name::Label;
use super::node::Node;
use super::resolve::Cluster;
use super::router_status::RouterAccess;
use super::secrets::SecretName;
use crate::config::written::Role;

/// sshd's own key on a node: the place that NixOS gives it (`services.openssh.hostKeys`).
const SSH_HOST_KEY: &str = "/etc/ssh/ssh_host_ed25519_key";

/// One use of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretUse {
    pub secret: SecretName,
    /// For people to read.
    pub what: String,
    pub place: SecretPlace,
    pub recipients: Recipients,
}

/// Where a secret lies on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretPlace {
    /// Among the node's secrets, under its own name.
    Secrets,
    /// Where sshd looks for the key by which the node is known.
    SshHostKey,
}

/// The nodes that get a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipients {
    All,
    Servers,
    Only(Label),
    /// `rk1` itself uses it.
    NoNode,
}

impl SecretUse {
    /// Nothing where no node gets it.
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

    /// For people to read.
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
    /// Every use of every secret.
    #[must_use]
    pub fn secret_uses(&self) -> Vec<SecretUse> {
        let on_all = |secret: &SecretName, what: &str| SecretUse {
            secret: secret.clone(),
            what: what.to_owned(),
            place: SecretPlace::Secrets,
            recipients: Recipients::All,
        };
        let mut uses = vec![on_all(&self.k3s.token, "k3s: by this token nodes join")];
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
                what: "sshd: key by which the node is known".to_owned(),
                place: SecretPlace::SshHostKey,
                recipients: Recipients::Only(node.name.clone()),
            })
        }));
        uses.extend(self.bgp.routers.iter().filter_map(|router| {
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
