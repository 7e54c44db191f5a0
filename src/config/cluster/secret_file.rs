//! `[[secret-file]]`: files of nodes whose contents are secrets.

use thiserror::Error;

use super::first_use::FirstUse;
use super::name::Label;
use super::node::{NoSuchNode, Node};
use super::secrets::{SecretLookup, SecretName};
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::written::{self, Text};

/// A file of nodes whose content is a secret.
#[derive(Debug, Clone)]
pub struct SecretFile {
    pub secret: SecretName,
    pub path: String,
    /// `None` for all nodes.
    pub nodes: Option<Vec<Label>>,
    pub owner: String,
    pub group: String,
    /// In octal.
    pub mode: String,
    /// Units that are restarted when the content changes.
    pub restart: Vec<String>,
}

impl SecretFile {
    #[must_use]
    pub fn is_for(&self, node: &Node) -> bool {
        self.nodes.as_ref().is_none_or(|nodes| nodes.contains(&node.name))
    }
}

#[derive(Debug, Error)]
enum SecretFileMistake {
    #[error("`{path}` is not the path of a file on a node")]
    Path { path: String },
    #[error("`{path}` lies in `{folder}`, which {whose}")]
    Taken { path: String, folder: &'static str, whose: &'static str },
    #[error("two secrets are written to `{path}` on the node `{node}`")]
    Duplicate { path: String, node: Label },
    #[error(transparent)]
    NoNode(#[from] NoSuchNode),
    #[error("the file is for no node")]
    NoNodes,
    #[error("`{name}` is not the name of a user or group")]
    Account { name: String },
    #[error("`{mode}` is not a file mode")]
    Mode { mode: String },
    #[error("with the file mode `{mode}`, every user of the node can read the secret")]
    WorldReadable { mode: String },
    #[error("`{name}` is not the name of a unit")]
    Unit { name: String },
}

impl Mistake for SecretFileMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::Path { .. } => {
                "write an absolute path of letters, digits, `-`, `_` and `.`, such as `/etc/tailscale/key`"
                    .to_owned()
            }
            Self::Taken { .. } => "write another path, such as one below `/etc` or `/var/lib`".to_owned(),
            Self::Duplicate { .. } => "write another path, or other nodes".to_owned(),
            Self::NoNode(mistake) => mistake.hint(),
            Self::NoNodes => "write the names of nodes, or remove `nodes` for all nodes".to_owned(),
            Self::Account { .. } => {
                "write a name such as `root` or `grafana`: numbers are not accepted".to_owned()
            }
            Self::Mode { .. } => {
                "write three octal digits: `400` for the owner only, `440` for its group as well".to_owned()
            }
            Self::WorldReadable { .. } => {
                "write `440`, and as `group` that of the program that reads it".to_owned()
            }
            Self::Unit { .. } => "write the name of a systemd unit, such as `tailscaled.service`".to_owned(),
        };
        Some(instead)
    }
}

/// Folders in which other parts of the node write, and what they are.
const TAKEN: [(&str, &str); 9] = [
    ("/boot", "belongs to the boot loader"),
    ("/dev", "holds devices"),
    ("/etc/static", "NixOS replaces"),
    ("/nix", "every user can read"),
    ("/proc", "the kernel provides"),
    ("/run/rk1-k3s", "the node makes by itself"),
    ("/sys", "the kernel provides"),
    ("/var/lib/rancher", "belongs to k3s"),
    ("/var/lib/rk1", "the node makes by itself"),
];

pub(super) fn resolve(
    written: &[written::SecretFile],
    nodes: Option<&[Node]>,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<Vec<SecretFile>> {
    let files: Vec<_> = written.iter().map(|file| resolve_file(file, nodes, secrets, problems)).collect();
    let mut paths = FirstUse::default();
    for (written, file) in written.iter().zip(&files) {
        let (Some(text), Some(file)) = (written.path.as_ref(), file) else { continue };
        for node in nodes.unwrap_or_default().iter().filter(|node| file.is_for(node)) {
            if let Some(first) = paths.earlier((file.path.clone(), node.name.clone()), text.span) {
                let mistake =
                    SecretFileMistake::Duplicate { path: file.path.clone(), node: node.name.clone() };
                problems.collision(text.span, mistake, first, "first written here");
                break;
            }
        }
    }
    files.into_iter().collect()
}

fn resolve_file(
    written: &written::SecretFile,
    nodes: Option<&[Node]>,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<SecretFile> {
    let secret = written.secret.as_ref().and_then(|text| secrets.find(text, problems));
    let path = written.path.as_ref().and_then(|text| problems.take(text.span, parse_path(&text.value)));
    let mut account = |text: Option<&Text>| match text {
        Some(text) => problems.take(text.span, parse_account(&text.value)),
        None => Some("root".to_owned()),
    };
    let (owner, group) = (account(written.owner.as_ref()), account(written.group.as_ref()));
    let mode = match &written.mode {
        Some(text) => {
            let mode = problems.take(text.span, parse_mode(&text.value));
            if let Some(mode) = mode.as_ref().filter(|mode| !mode.ends_with('0')) {
                problems.warning(text.span, SecretFileMistake::WorldReadable { mode: mode.clone() });
            }
            mode
        }
        None => Some("400".to_owned()),
    };
    let units = written.restart.as_deref().unwrap_or_default();
    let restart: Vec<_> =
        units.iter().map(|text| problems.take(text.span, parse_unit(&text.value))).collect();
    let nodes = match &written.nodes {
        Some(names) if names.value.is_empty() => {
            problems.error(names.span, SecretFileMistake::NoNodes);
            None
        }
        Some(names) => {
            let known = nodes?;
            let found: Vec<_> = names.value.iter().map(|text| find_node(text, known, problems)).collect();
            Some(Some(found.into_iter().collect::<Option<Vec<_>>>()?))
        }
        None => Some(None),
    };
    Some(SecretFile {
        secret: secret?,
        path: path?,
        nodes: nodes?,
        owner: owner?,
        group: group?,
        mode: mode?,
        restart: restart.into_iter().collect::<Option<_>>()?,
    })
}

fn find_node(text: &Text, nodes: &[Node], problems: &mut Problems) -> Option<Label> {
    let found = nodes.iter().find(|node| node.name.as_str() == text.value);
    let found = found.ok_or_else(|| SecretFileMistake::NoNode(NoSuchNode::new(&text.value, nodes)));
    problems.take(text.span, found).map(|node| node.name.clone())
}

fn parse_path(path: &str) -> Result<String, SecretFileMistake> {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_part = |part: &str| {
        let name = part.strip_prefix('.').unwrap_or(part);
        part.bytes().all(is_inner)
            && name.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
    };
    let parts: Option<Vec<&str>> = path.strip_prefix('/').map(|rest| rest.split('/').collect());
    let is_path =
        path.len() <= 255 && parts.is_some_and(|parts| parts.len() > 1 && parts.into_iter().all(is_part));
    if !is_path {
        return Err(SecretFileMistake::Path { path: path.to_owned() });
    }
    let is_below = |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    match TAKEN.iter().find(|(folder, _)| is_below(folder)) {
        Some((folder, whose)) => Err(SecretFileMistake::Taken { path: path.to_owned(), folder, whose }),
        None => Ok(path.to_owned()),
    }
}

/// The names that NixOS accepts (`users.users`, as shadow's `useradd` does).
fn parse_account(name: &str) -> Result<String, SecretFileMistake> {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    let is_first = |first: char| first.is_ascii_lowercase() || first == '_';
    if (1..=31).contains(&name.len()) && name.bytes().all(is_inner) && name.starts_with(is_first) {
        Ok(name.to_owned())
    } else {
        Err(SecretFileMistake::Account { name: name.to_owned() })
    }
}

fn parse_mode(mode: &str) -> Result<String, SecretFileMistake> {
    let digits = mode.strip_prefix('0').filter(|rest| rest.len() == 3).unwrap_or(mode);
    let is_mode = digits.len() == 3
        && digits.bytes().all(|digit| (b'0'..=b'7').contains(&digit))
        && digits.starts_with(['4', '6'])
        // Nobody but the owner writes it.
        && digits[1..].bytes().all(|digit| b"04".contains(&digit));
    if is_mode { Ok(digits.to_owned()) } else { Err(SecretFileMistake::Mode { mode: mode.to_owned() }) }
}

const UNIT_TYPES: [&str; 6] = ["service", "socket", "timer", "path", "mount", "target"];

fn parse_unit(name: &str) -> Result<String, SecretFileMistake> {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:@".contains(&byte);
    let is_unit = name.rsplit_once('.').is_some_and(|(front, kind)| {
        UNIT_TYPES.contains(&kind)
            && front.starts_with(|first: char| first.is_ascii_alphanumeric())
            && front.bytes().all(is_inner)
    });
    if is_unit && name.len() <= 255 {
        Ok(name.to_owned())
    } else {
        Err(SecretFileMistake::Unit { name: name.to_owned() })
    }
}
