//! The daemon that shows received packets in Grafana.

use thiserror::Error;
use url::{Host, Url};

use super::Unresolved;
use super::name::Label;
use super::number::number_or;
use super::secrets::{SecretLookup, SecretName};
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::source::Spanned;
use crate::config::written::{self, Acceleration, Cilium, FreeValue, Text};

#[derive(Debug, Clone)]
pub struct Streamer {
    /// Address of Grafana, without a slash at the end.
    pub url: String,
    pub token: SecretName,
    /// Name of the stream in Grafana Live; each node's name is added.
    pub stream: String,
    /// Empty: the interface that has the node's address.
    pub interfaces: Vec<String>,
    /// Rows a second.
    pub budget: u32,
    /// Milliseconds between two pushes.
    pub interval: u32,
}

#[derive(Debug, Error)]
enum StreamerMistake {
    #[error("`{url}` does not say how Grafana is reached")]
    NoScheme { url: String },
    #[error("`{url}` is not an address of the web: {reason}")]
    NotAUrl { url: String, reason: String },
    #[error("`{scheme}` is not a way to reach Grafana")]
    Scheme { scheme: String },
    #[error("the address of Grafana holds a user name or a password")]
    Credentials,
    #[error("`{url}` sends the token in the clear over a public network")]
    PublicHttp { url: String },
    #[error("`{name}` is not the name of a network interface")]
    Interface { name: String },
    #[error("`{name}` is not the name of a stream")]
    Stream { name: String },
    #[error("`acceleration = \"{acceleration}\"` takes the network interface from the streamer")]
    Acceleration { acceleration: String },
}

impl Mistake for StreamerMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::NoScheme { url } => format!("write it with its scheme: `https://{url}`"),
            Self::NotAUrl { .. } | Self::Scheme { .. } => {
                "write an address such as `https://grafana.example.org`".to_owned()
            }
            Self::Credentials => "leave them out: the token is the secret that `token` names".to_owned(),
            Self::PublicHttp { url } => format!("write `{}`", url.replacen("http:", "https:", 1)),
            Self::Interface { .. } => "write a name such as `end0`, of at most 15 characters".to_owned(),
            Self::Stream { .. } => "write letters, digits, `-`, `_` or `.`, at most 64 of them".to_owned(),
            Self::Acceleration { .. } => {
                "write `acceleration = \"disabled\"`, or `enable = false` in `[streamer]`: both want the \
                 interface's XDP hook, and it takes one program"
                    .to_owned()
            }
        };
        Some(instead)
    }

    fn marks_secret(&self) -> bool {
        matches!(self, Self::Credentials)
    }
}

/// The streamer, if there is to be one.
pub(super) fn resolve(
    typed: Option<&written::Streamer>,
    cilium: Option<&Cilium>,
    cluster: Option<&Label>,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Result<Option<Streamer>, Unresolved> {
    let Some(typed) = typed else { return Ok(None) };
    let url = typed.url.as_ref().and_then(|text| problems.take(text.span, parse_url(&text.value)));
    let token = typed.token.as_ref().and_then(|text| secrets.find(text, problems));
    let stream = match &typed.stream {
        Some(text) => problems.take(text.span, parse_stream(&text.value)),
        None => cluster.map(|name| name.as_str().to_owned()),
    };
    let interfaces = typed.interfaces.as_deref().unwrap_or_default();
    let interfaces: Vec<_> = interfaces.iter().map(|name| interface(name, problems)).collect();
    let budget = number_or(500, typed.budget.as_ref(), "number of rows a second", &(1..=100_000), problems);
    let interval = number_or(250, typed.interval.as_ref(), "number of milliseconds", &(200..=1000), problems);
    let is_enabled = typed.enable.as_ref().is_none_or(|enable| enable.value);
    if is_enabled {
        note_acceleration(typed, cilium, problems);
    }
    let interfaces: Option<_> = interfaces.into_iter().collect();
    let streamer = Streamer {
        url: url.ok_or(Unresolved)?,
        token: token.ok_or(Unresolved)?,
        stream: stream.ok_or(Unresolved)?,
        interfaces: interfaces.ok_or(Unresolved)?,
        budget: budget.ok_or(Unresolved)?,
        interval: interval.ok_or(Unresolved)?,
    };
    Ok(is_enabled.then_some(streamer))
}

fn parse_url(text: &str) -> Result<String, StreamerMistake> {
    let owned = || text.to_owned();
    // `grafana:3000` parses as the scheme `grafana`, which is not what was meant.
    if !text.contains("://") {
        return Err(StreamerMistake::NoScheme { url: owned() });
    }
    let url = Url::parse(text)
        .map_err(|error| StreamerMistake::NotAUrl { url: owned(), reason: error.to_string() })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(StreamerMistake::Credentials);
    }
    match url.scheme() {
        "http" if is_public(&url) => Err(StreamerMistake::PublicHttp { url: owned() }),
        "http" | "https" => Ok(url.as_str().trim_end_matches('/').to_owned()),
        scheme => Err(StreamerMistake::Scheme { scheme: scheme.to_owned() }),
    }
}

/// Whether it names a public address. What a host name stands for is for the daemon to find out.
pub(super) fn is_public(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => {
            !(address.is_private() || address.is_loopback() || address.is_link_local())
        }
        Some(Host::Ipv6(address)) => {
            !(address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local())
        }
        Some(Host::Domain(_)) | None => false,
    }
}

/// A channel of Grafana Live: `^[A-z0-9_\-\.]*$`, at most 160 characters with what is added to it.
fn parse_stream(name: &str) -> Result<String, StreamerMistake> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_name = (1..=64).contains(&name.len()) && name.bytes().all(is_allowed);
    if is_name { Ok(name.to_owned()) } else { Err(StreamerMistake::Stream { name: name.to_owned() }) }
}

/// Linux: at most 15 bytes (`IFNAMSIZ` less the final NUL). Of what it takes, only what may stand in a unit's name and in
/// a channel of Grafana Live, too: the name is part of both.
fn interface(name: &Text, problems: &mut Problems) -> Option<String> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_name = (1..=15).contains(&name.value.len())
        && name.value.bytes().all(is_allowed)
        && !name.value.starts_with(['-', '.']);
    if !is_name {
        problems.error(name.span, StreamerMistake::Interface { name: name.value.clone() });
    }
    is_name.then(|| name.value.clone())
}

/// The key, or the value of Cilium's chart that it stands for.
fn note_acceleration(typed: &written::Streamer, cilium: Option<&Cilium>, problems: &mut Problems) {
    let Some(cilium) = cilium else { return };
    let key = cilium.acceleration.as_ref().map(|key| Spanned::new(key.value.word().to_owned(), key.span));
    let value = cilium.values.as_ref().and_then(|values| values.at(&["loadBalancer", "acceleration"]));
    let value = value.and_then(|value| match &value.value {
        FreeValue::String(word) => Some(Spanned::new(word.clone(), value.span)),
        _ => None,
    });
    for written in [key, value].into_iter().flatten() {
        if written.value != Acceleration::Disabled.word() {
            let mistake = StreamerMistake::Acceleration { acceleration: written.value };
            problems.collision(written.span, mistake, typed.span, "the streamer is on");
        }
    }
}
