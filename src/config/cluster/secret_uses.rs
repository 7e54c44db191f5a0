//! The uses of each secret: its purpose, its recipients, and its place on a node. `rk1 secrets` lists them, and
//! `rk1 flash` builds seeds from them.

use super::k3s::S3;
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
    pub kind: SecretKind,
    pub place: SecretPlace,
    pub recipients: Recipients,
}

/// The kind of a secret, which decides whether `rk1` can make it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// A token with which nodes join the cluster.
    JoinToken,
    /// The certificate authority of the servers, with its key.
    ServerCa,
    /// The host key of a node.
    SshHostKey,
    /// The key of a node's data disk.
    DiskKey,
    /// The password of BGP sessions: the same on the router, and nowhere else.
    BgpPassword,
    /// Something that another system issues.
    Foreign,
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
    Some(Vec<Label>),
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
            Self::All => node.is_host(),
            Self::Servers => node.role == Role::Server,
            Self::Only(name) => *name == node.name,
            Self::Some(names) => node.is_host() && names.contains(&node.name),
            Self::NoNode => false,
        }
    }

    /// Returns a description of the recipients.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::All => "every node".to_owned(),
            Self::Servers => "servers".to_owned(),
            Self::Only(name) => name.to_string(),
            Self::Some(names) => names.iter().map(Label::as_str).collect::<Vec<_>>().join(", "),
            Self::NoNode => "no node".to_owned(),
        }
    }
}

impl Cluster {
    /// Returns every use of every secret.
    #[must_use]
    pub fn secret_uses(&self) -> Vec<SecretUse> {
        let mut uses = self.joining_uses();
        uses.extend(self.streamer.iter().map(|streamer| SecretUse {
            secret: streamer.token.clone(),
            what: "streamer: token of Grafana".to_owned(),
            kind: SecretKind::Foreign,
            place: SecretPlace::Secrets,
            recipients: Recipients::All,
        }));
        let passwords: Vec<_> = self.routers().iter().filter_map(|router| router.password.as_ref()).collect();
        uses.extend(self.kubernetes_secrets().into_iter().map(|made| SecretUse {
            what: format!("Secret {}/{}, key {}", made.namespace, made.name, made.key),
            kind: if passwords.contains(&&made.from) { SecretKind::BgpPassword } else { SecretKind::Foreign },
            secret: made.from,
            place: SecretPlace::Secrets,
            recipients: Recipients::Servers,
        }));
        uses.extend(self.k3s.registries.secrets().map(|(secret, what)| SecretUse {
            secret: secret.clone(),
            what: format!("registries: {what}"),
            kind: SecretKind::Foreign,
            place: SecretPlace::Secrets,
            recipients: Recipients::All,
        }));
        uses.extend(self.k3s.snapshots.s3.iter().flat_map(S3::secrets).map(|(secret, what)| SecretUse {
            secret: secret.clone(),
            what: format!("snapshots: {what}"),
            kind: SecretKind::Foreign,
            place: SecretPlace::Secrets,
            recipients: Recipients::Servers,
        }));
        uses.extend(self.secret_files.iter().map(|file| SecretUse {
            secret: file.secret.clone(),
            what: format!("file {}", file.path),
            kind: SecretKind::Foreign,
            place: SecretPlace::Secrets,
            recipients: file.nodes.clone().map_or(Recipients::All, Recipients::Some),
        }));
        uses.extend(self.nodes.iter().filter_map(|node| {
            let recipients =
                if node.is_host() { Recipients::Only(node.name.clone()) } else { Recipients::NoNode };
            Some(SecretUse {
                secret: node.ssh_host_key.clone()?,
                what: "sshd: host key of the node".to_owned(),
                kind: SecretKind::SshHostKey,
                place: SecretPlace::SshHostKey,
                recipients,
            })
        }));
        uses.extend(self.storage.disk_keys.iter().flatten().map(|(node, key)| SecretUse {
            secret: key.clone(),
            what: "data disk: key of its encryption".to_owned(),
            kind: SecretKind::DiskKey,
            place: SecretPlace::Secrets,
            recipients: Recipients::Only(node.clone()),
        }));
        uses.extend(self.routers().iter().filter_map(|router| {
            let RouterAccess::Rest(access) = &router.access else { return None };
            Some(SecretUse {
                secret: access.password.clone()?,
                what: format!("`rk1 status`: password on {}", router.name),
                kind: SecretKind::Foreign,
                place: SecretPlace::Secrets,
                recipients: Recipients::NoNode,
            })
        }));
        uses.extend(self.boards.iter().filter_map(|board| {
            Some(SecretUse {
                secret: board.password.clone()?,
                what: format!("`rk1 flash`: password of `{}` on the BMC of `{}`", board.user, board.name),
                kind: SecretKind::Foreign,
                place: SecretPlace::Secrets,
                recipients: Recipients::NoNode,
            })
        }));
        uses
    }

    /// Returns the secrets of a node that another system issues, each of them once: the node takes up new bytes of them at any
    /// time. Those with which nodes join or start are replaced with care, by hand.
    #[must_use]
    pub fn replaceable_secrets(&self, node: &Node) -> Vec<SecretName> {
        let uses = self.secret_uses();
        let is_foreign = |secret: &SecretName| {
            uses.iter().filter(|each| each.secret == *secret).all(|each| each.kind == SecretKind::Foreign)
        };
        let of_node = uses.iter().filter(|each| each.recipients.include(node));
        let mut secrets: Vec<_> =
            of_node.map(|each| each.secret.clone()).filter(|secret| is_foreign(secret)).collect();
        secrets.sort();
        secrets.dedup();
        secrets
    }

    /// Returns the kind of a secret that `rk1` can make: all its uses agree on the kind, and no other system issues it.
    #[must_use]
    pub fn made_kind(&self, secret: &SecretName) -> Option<SecretKind> {
        let uses = self.secret_uses();
        let mut kinds = uses.iter().filter(|each| each.secret == *secret).map(|each| each.kind);
        let kind = kinds.next()?;
        (kind != SecretKind::Foreign && kinds.all(|other| other == kind)).then_some(kind)
    }

    /// Returns the uses of the secrets with which nodes join. No agent gets one that makes it a server.
    fn joining_uses(&self) -> Vec<SecretUse> {
        let joining = &self.k3s.joining;
        let mut uses = Vec::new();
        let mut add = |secret: &SecretName, what: &str, kind, recipients| {
            let (secret, what) = (secret.clone(), what.to_owned());
            uses.push(SecretUse { secret, what, kind, place: SecretPlace::Secrets, recipients });
        };
        if let Some(agents) = &joining.agent_token {
            add(
                &joining.token,
                "k3s: token with which servers join",
                SecretKind::JoinToken,
                Recipients::Servers,
            );
            add(agents, "k3s: token with which agents join", SecretKind::JoinToken, Recipients::All);
        } else {
            add(&joining.token, "k3s: token with which nodes join", SecretKind::JoinToken, Recipients::All);
        }
        if let Some(authority) = &joining.server_ca {
            let first = Recipients::Only(self.k3s.first_server.clone());
            add(authority, "k3s: authority of the servers' certificates", SecretKind::ServerCa, first);
        }
        uses
    }
}
