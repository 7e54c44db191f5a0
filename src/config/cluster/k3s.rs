//! `[k3s]`: settings of k3s, the Kubernetes distribution.

mod cron;
mod flags;
mod mistake;
mod registries;
mod settings;
mod snapshots;

use serde::Serialize;
use thiserror::Error;

use self::mistake::SettingMistake;
pub use self::registries::{Login, Registries};
pub use self::settings::NodeSettings;
pub(super) use self::settings::{WrittenSettings, is_label_text};
pub(super) use self::snapshots::S3;
pub use self::snapshots::Snapshots;
use super::name::{Label, is_host};
use super::node::Node;
use super::secrets::{SecretLookup, SecretName};
use crate::common::nearest::nearest;
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::written::{self, Attempt, Role, Text};

/// The templates of hosts read it as it is: a new setting needs no code in the renderer.
#[derive(Debug, Clone, Serialize)]
pub struct K3s {
    #[serde(skip)]
    pub joining: Joining,
    /// The server that initializes the cluster; the other nodes join it.
    pub first_server: Label,
    /// The file mode in octal, as k3s's `--write-kubeconfig-mode` takes it.
    pub write_kubeconfig_mode: String,
    /// Additional names and addresses in the API server's certificate.
    pub tls_san: Vec<String>,
    /// Settings that all nodes share.
    #[serde(skip)]
    pub shared: NodeSettings,
    #[serde(skip)]
    pub registries: Registries,
    #[serde(skip)]
    pub snapshots: Snapshots,
}

/// The secrets with which nodes join the cluster.
#[derive(Debug, Clone)]
pub struct Joining {
    /// The token of servers. Whoever has it can become a server, and so an administrator of the cluster.
    pub token: SecretName,
    /// The token of agents. `None` if they join with that of servers.
    pub agent_token: Option<SecretName>,
    /// The certificate authority of the servers, with its key. `None` if the first server makes its own, which no other node
    /// knows before it joins.
    pub server_ca: Option<SecretName>,
}

impl Joining {
    /// Returns the token that the nodes of a role join with.
    #[must_use]
    pub fn token_of(&self, role: Role) -> &SecretName {
        match role {
            Role::Server => &self.token,
            Role::Agent => self.agent_token.as_ref().unwrap_or(&self.token),
        }
    }
}

const TOKEN: &str = "k3s-token";
const AGENT_TOKEN: &str = "k3s-agent-token";
const SERVER_CA: &str = "k3s-server-ca";

#[derive(Debug, Error)]
enum K3sMistake {
    #[error(
        "agents join with the token of servers, and so each of them can become an administrator of the cluster"
    )]
    OneToken,
    #[error("agents and servers have the same token `{token}`")]
    SameToken { token: String },
    #[error("`{mode}` is not a file mode")]
    Mode { mode: String },
    #[error("the file mode `{mode}` does not let root read the administrator's kubeconfig")]
    Unreadable { mode: String },
    #[error("with the file mode `{mode}`, every user of a server can read the administrator's kubeconfig")]
    WorldReadable { mode: String },
    #[error("the cluster has no server `{name}`")]
    UnknownServer { name: String, nearest: Option<String> },
    #[error("`{name}` is an agent, not a server")]
    Agent { name: Label },
    #[error("`{name}` is neither a host name nor an address")]
    CertificateName { name: String },
}

impl Mistake for K3sMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::OneToken => {
                "for a new cluster, remove `token` and run `rk1 secrets --generate`; for a running one, add \
                               `agent-token = \"k3s-agent-token\"` as docs/secrets.md explains"
                    .to_owned()
            }
            Self::SameToken { .. } => {
                "write another name for `agent-token`, such as `k3s-agent-token`".to_owned()
            }
            Self::Mode { .. } | Self::Unreadable { .. } => {
                "write three octal digits: `600` for root only, `640` for its group as well".to_owned()
            }
            Self::WorldReadable { .. } => {
                "write `600`: a fault in any program of a server then does not give away the cluster"
                    .to_owned()
            }
            Self::UnknownServer { nearest: Some(name), .. } => format!("did you mean `{name}`?"),
            Self::UnknownServer { .. } | Self::Agent { .. } => {
                "write the name of a node whose role is `server`".to_owned()
            }
            Self::CertificateName { .. } => "write a name such as `kubernetes.example.org`".to_owned(),
        };
        Some(instead)
    }
}

const MODE: &str = "600";

pub(super) fn resolve(
    section: Option<&Attempt<written::K3s>>,
    cluster: Option<&Label>,
    nodes: Option<&[Node]>,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<K3s> {
    let default = written::K3s::default();
    let written = section.map_or(Some(&default), |section| section.0.as_ref())?;
    let joining = joining(written, nodes, secrets, problems);
    let mode = match &written.write_kubeconfig_mode {
        Some(text) => {
            let mode = problems.take(text.span, parse_mode(&text.value));
            if let Some(mode) = mode.as_ref().filter(|mode| !mode.ends_with(['0', '1', '2', '3'])) {
                problems.warning(text.span, K3sMistake::WorldReadable { mode: mode.clone() });
            }
            mode
        }
        None => Some(MODE.to_owned()),
    };
    let tls_san = written.tls_san.as_deref().unwrap_or_default();
    for name in tls_san {
        note_certificate_name(name, problems);
    }
    let shared = WrittenSettings::of_all(written).resolve(problems);
    let registries = registries::resolve(written.registries.as_ref(), secrets, problems);
    let snapshots = snapshots::resolve(written.snapshots.as_ref(), cluster, secrets, problems);
    if let (Some(shared), Some(nodes)) = (&shared, nodes) {
        note_free_node(written, shared, nodes, problems);
    }
    let first_server = nodes.and_then(|nodes| first_server(written.first_server.as_ref(), nodes, problems));
    Some(K3s {
        joining: joining?,
        first_server: first_server?,
        write_kubeconfig_mode: mode?,
        tls_san: tls_san.iter().map(|name| name.value.clone()).collect(),
        shared: shared?,
        registries: registries?,
        snapshots: snapshots?,
    })
}

/// Notes that no node accepts the pods of the cluster's own components.
fn note_free_node(written: &written::K3s, shared: &NodeSettings, nodes: &[Node], problems: &mut Problems) {
    let is_closed = |settings: &NodeSettings| settings.taints.iter().any(settings::Taint::keeps_pods_off);
    if is_closed(shared) || !nodes.is_empty() && nodes.iter().all(|node| is_closed(&node.k3s)) {
        let of_all = written.taints.as_deref().and_then(<[_]>::first).map(|text| text.span);
        let place = of_all.or_else(|| nodes.iter().find_map(|node| node.taint));
        problems.error(place.unwrap_or(written.span), SettingMistake::NoFreeNode);
    }
}

/// A `token` without the other keys is that of a cluster which was written when there was only one token.
fn joining(
    written: &written::K3s,
    nodes: Option<&[Node]>,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<Joining> {
    let (agent_token, server_ca) = (written.agent_token.as_ref(), written.server_ca.as_ref());
    let has_defaults = written.token.is_none();
    let token = secrets.find_or_default(written.token.as_ref(), TOKEN, problems);
    // `None` if there is none, `Some(None)` if it could not be found.
    let mut optional = |text: Option<&Text>, default| {
        (has_defaults || text.is_some()).then(|| secrets.find_or_default(text, default, problems))
    };
    let (found_agent_token, found_server_ca) =
        (optional(agent_token, AGENT_TOKEN), optional(server_ca, SERVER_CA));
    if let (Some(text), None) = (&written.token, agent_token)
        && nodes.is_some_and(|nodes| nodes.iter().any(|node| node.role == Role::Agent))
    {
        problems.warning(text.span, K3sMistake::OneToken);
    }
    let joining = Joining {
        token: token?,
        agent_token: match found_agent_token {
            Some(found) => Some(found?),
            None => None,
        },
        server_ca: match found_server_ca {
            Some(found) => Some(found?),
            None => None,
        },
    };
    if let Some(text) = agent_token.filter(|_| joining.agent_token.as_ref() == Some(&joining.token)) {
        problems.error(text.span, K3sMistake::SameToken { token: joining.token.as_str().to_owned() });
    }
    Some(joining)
}

fn parse_mode(mode: &str) -> Result<String, K3sMistake> {
    let digits = mode.strip_prefix('0').filter(|rest| rest.len() == 3).unwrap_or(mode);
    if digits.len() != 3 || !digits.bytes().all(|digit| (b'0'..=b'7').contains(&digit)) {
        return Err(K3sMistake::Mode { mode: mode.to_owned() });
    }
    if digits.starts_with(['4', '5', '6', '7']) {
        Ok(digits.to_owned())
    } else {
        Err(K3sMistake::Unreadable { mode: mode.to_owned() })
    }
}

fn note_certificate_name(name: &Text, problems: &mut Problems) {
    if !is_host(&name.value) {
        problems.error(name.span, K3sMistake::CertificateName { name: name.value.clone() });
    }
}

fn first_server(written: Option<&Text>, nodes: &[Node], problems: &mut Problems) -> Option<Label> {
    let mut servers = nodes.iter().filter(|node| node.role == Role::Server).map(|node| &node.name);
    let Some(text) = written else { return servers.next().cloned() };
    let Some(found) = nodes.iter().find(|node| node.name.as_str() == text.value) else {
        let nearest = nearest(&text.value, servers.map(Label::as_str)).map(str::to_owned);
        problems.error(text.span, K3sMistake::UnknownServer { name: text.value.clone(), nearest });
        return None;
    };
    if found.role == Role::Agent {
        problems.error(text.span, K3sMistake::Agent { name: found.name.clone() });
    }
    Some(found.name.clone())
}
