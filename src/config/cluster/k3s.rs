//! `[k3s]`: settings of k3s, the Kubernetes distribution.

use serde::Serialize;
use thiserror::Error;

use super::name::{Label, is_host};
use super::node::Node;
use super::secrets::{SecretLookup, SecretName};
use crate::common::nearest::nearest;
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::written::{self, Role, Text};

/// The templates of hosts read it as it is: a new setting needs no code in the renderer.
#[derive(Debug, Clone, Serialize)]
pub struct K3s {
    #[serde(skip)]
    pub token: SecretName,
    /// The server that initializes the cluster; the other nodes join it.
    pub first_server: Label,
    /// The file mode in octal, as k3s's `--write-kubeconfig-mode` takes it.
    pub write_kubeconfig_mode: String,
    /// Additional names and addresses in the API server's certificate.
    pub tls_san: Vec<String>,
}

#[derive(Debug, Error)]
enum K3sMistake {
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
    written: &written::K3s,
    nodes: Option<&[Node]>,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<K3s> {
    let token = written.token.as_ref().and_then(|text| secrets.find(text, problems));
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
    let first_server = nodes.and_then(|nodes| first_server(written.first_server.as_ref(), nodes, problems));
    Some(K3s {
        token: token?,
        first_server: first_server?,
        write_kubeconfig_mode: mode?,
        tls_san: tls_san.iter().map(|name| name.value.clone()).collect(),
    })
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
