//! `[k3s.registries]`: mirrors of container registries, and how nodes log in to registries.

use std::collections::BTreeMap;

use thiserror::Error;

use super::super::name::is_host;
use super::super::secrets::{SecretLookup, SecretName};
use super::super::url::{Service, parse_url};
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::written::{self, Named, Text};

/// Mirrors and logins of registries, as k3s's `registries.yaml` has them.
#[derive(Debug, Clone, Default)]
pub struct Registries {
    /// Whether nodes share their images (`--embedded-registry`).
    pub embedded: bool,
    pub mirrors: BTreeMap<String, Mirror>,
    pub hosts: BTreeMap<String, RegistryHost>,
}

#[derive(Debug, Clone, Default)]
pub struct Mirror {
    pub endpoints: Vec<String>,
    pub rewrite: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
pub struct RegistryHost {
    pub login: Option<Login>,
    /// The authority of the registry's certificate.
    pub ca: Option<SecretName>,
}

#[derive(Debug, Clone)]
pub enum Login {
    Password { username: String, password: SecretName },
    Token(SecretName),
}

impl Registries {
    /// Returns whether nodes need a `registries.yaml`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.mirrors.is_empty() && self.hosts.is_empty()
    }

    /// Returns the secrets, each with what it is for.
    pub fn secrets(&self) -> impl Iterator<Item = (&SecretName, String)> {
        self.hosts.iter().flat_map(|(host, settings)| {
            let login = settings.login.as_ref().map(|login| match login {
                Login::Password { username, password } => {
                    (password, format!("password of `{username}` on {host}"))
                }
                Login::Token(token) => (token, format!("token for {host}")),
            });
            let ca = settings.ca.as_ref().map(|ca| (ca, format!("certificate authority of {host}")));
            login.into_iter().chain(ca)
        })
    }
}

const MIRROR: Service = Service {
    name: "a mirror",
    example: "https://mirror.example.org",
    secret: "images",
    login: "write them in `[k3s.registries.hosts]`, which keeps the password secret",
    may_have_path: true,
};

/// The name that stands for every registry.
const ANY: &str = "*";

#[derive(Debug, Error)]
enum RegistryMistake {
    #[error("`{name}` is not the name of a registry")]
    NotARegistry { name: String },
    #[error("the mirror has no endpoint")]
    NoEndpoint,
    #[error("`{pattern}` is not a regular expression")]
    Pattern { pattern: String },
    #[error("the registry `{host}` has a user name without a password")]
    NoPassword { host: String },
    #[error("the registry `{host}` has a password without a user name")]
    NoUser { host: String },
    #[error("the registry `{host}` has both a password and a token")]
    TwoLogins { host: String },
    #[error("nothing is said about the registry `{host}`")]
    Nothing { host: String },
    #[error("`{name}` is not a user name")]
    UserName { name: String },
}

impl Mistake for RegistryMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::NotARegistry { name } => {
                let host = name
                    .split_once("://")
                    .map_or(name.as_str(), |(_, rest)| rest)
                    .split('/')
                    .next()
                    .unwrap_or_default();
                if is_registry(host) && host != name {
                    return Some(format!("write `{host}`: neither a scheme nor a path belongs to it"));
                }
                "write a host name, with its port if it is not 443, such as `docker.io` or `registry.example.org:5000`"
            }
            Self::NoEndpoint => {
                "write `endpoints = [\"https://mirror.example.org\"]`, or remove the mirror: a registry is asked itself anyway"
            }
            Self::Pattern { .. } => "write one that Go reads, such as `^library/(.*)$`",
            Self::NoPassword { .. } => "add `password = …`, the name of a secret",
            Self::NoUser { .. } => "add `username = …`",
            Self::TwoLogins { .. } => "remove one of them",
            Self::Nothing { .. } => "add `username` and `password`, `token` or `ca`, or remove the table",
            Self::UserName { .. } => "write it without spaces and control characters",
        };
        Some(instead.to_owned())
    }
}

pub(super) fn resolve(
    written: Option<&written::Registries>,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<Registries> {
    let Some(written) = written else { return Some(Registries::default()) };
    let embedded = written.embedded.as_ref().is_some_and(|embedded| embedded.value);
    let mut mirrors = all(written.mirrors.as_ref(), |name, mirror| resolve_mirror(name, mirror, problems));
    let hosts = all(written.hosts.as_ref(), |name, host| resolve_host(name, host, secrets, problems));
    if let (true, Some(mirrors)) = (embedded, &mut mirrors) {
        // Nodes share the images of the registries that have an entry.
        mirrors.entry(ANY.to_owned()).or_default();
    }
    Some(Registries { embedded, mirrors: mirrors?, hosts: hosts? })
}

/// Resolves every entry, also behind one that fails.
fn all<T, U>(
    written: Option<&Named<T>>,
    mut resolve: impl FnMut(&Text, &T) -> Option<U>,
) -> Option<BTreeMap<String, U>> {
    let entries = written.map(|named| named.0.as_slice()).unwrap_or_default();
    let resolved: Vec<_> =
        entries.iter().map(|(name, value)| Some((name.value.clone(), resolve(name, value)?))).collect();
    resolved.into_iter().collect()
}

fn resolve_mirror(name: &Text, written: &written::Mirror, problems: &mut Problems) -> Option<Mirror> {
    let is_name = note_name(name, name.value == ANY, problems);
    let texts = written.endpoints.as_ref()?;
    if texts.value.is_empty() {
        problems.error(texts.span, RegistryMistake::NoEndpoint);
    }
    let endpoints: Vec<_> = texts
        .value
        .iter()
        .map(|text| {
            Some(
                problems
                    .take(text.span, parse_url(&text.value, &MIRROR))?
                    .as_str()
                    .trim_end_matches('/')
                    .to_owned(),
            )
        })
        .collect();
    let rewrite: Vec<_> = written
        .rewrite
        .iter()
        .flat_map(|named| &named.0)
        .map(|(pattern, instead)| {
            let is_pattern = regex::Regex::new(&pattern.value).is_ok();
            let taken = is_pattern
                .then_some(())
                .ok_or_else(|| RegistryMistake::Pattern { pattern: pattern.value.clone() });
            problems.take(pattern.span, taken).map(|()| (pattern.value.clone(), instead.value.clone()))
        })
        .collect();
    is_name.then_some(Mirror {
        endpoints: endpoints.into_iter().collect::<Option<_>>()?,
        rewrite: rewrite.into_iter().collect::<Option<_>>()?,
    })
}

fn resolve_host(
    name: &Text,
    written: &written::RegistryHost,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<RegistryHost> {
    let is_name = note_name(name, false, problems);
    let password = secrets.find_optional(written.password.as_ref(), problems).ok();
    let token = secrets.find_optional(written.token.as_ref(), problems).ok();
    let ca = secrets.find_optional(written.ca.as_ref(), problems).ok();
    let host = || name.value.clone();
    let mistake = match (&written.username, &written.password, &written.token) {
        (None, None, None) if written.ca.is_none() => Some(RegistryMistake::Nothing { host: host() }),
        (_, Some(_), Some(_)) | (Some(_), _, Some(_)) => Some(RegistryMistake::TwoLogins { host: host() }),
        (Some(_), None, None) => Some(RegistryMistake::NoPassword { host: host() }),
        (None, Some(_), None) => Some(RegistryMistake::NoUser { host: host() }),
        _ => None,
    };
    if let Some(mistake) = mistake {
        problems.error(name.span, mistake);
        return None;
    }
    if let Some(user) = &written.username
        && (user.value.is_empty()
            || user.value.chars().any(|character| character.is_control() || character.is_whitespace()))
    {
        problems.error(user.span, RegistryMistake::UserName { name: user.value.clone() });
        return None;
    }
    let login = match (&written.username, password?, token?) {
        (Some(username), Some(password), _) => {
            Some(Login::Password { username: username.value.clone(), password })
        }
        (_, _, Some(token)) => Some(Login::Token(token)),
        _ => None,
    };
    is_name.then_some(RegistryHost { login, ca: ca? })
}

fn note_name(name: &Text, is_any: bool, problems: &mut Problems) -> bool {
    let is_name = is_any || is_registry(&name.value);
    if !is_name {
        problems.error(name.span, RegistryMistake::NotARegistry { name: name.value.clone() });
    }
    is_name
}

/// Returns whether the text is a host name or an address, with or without a port.
fn is_registry(text: &str) -> bool {
    if is_host(text) {
        return !text.contains(':');
    }
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_port =
        port.parse::<u16>().is_ok_and(|port| port > 0) && port.bytes().all(|byte| byte.is_ascii_digit());
    is_port
        && address.map_or_else(
            || is_host(host) && !host.contains(':'),
            |address| address.contains(':') && is_host(address),
        )
}
