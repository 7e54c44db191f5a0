//! `[streamer]`: the daemon that shows received packets in Grafana.

use thiserror::Error;

use super::name::Label;
use super::number::number_or;
use super::secrets::{SecretLookup, SecretName};
use super::url::{Service, parse_url};
use crate::config::diagnostics::{Mistake, Problems, Unresolved};
use crate::config::source::Spanned;
use crate::config::written::{self, Acceleration, Cilium, FreeValue, Text};

#[derive(Debug, Clone)]
pub struct Streamer {
    /// The URL of Grafana, without a trailing slash.
    pub url: String,
    pub token: SecretName,
    /// The name of the stream in Grafana Live, to which the name of each node is added.
    pub stream: String,
    /// The interfaces to watch. If empty, the one that has the node's address.
    pub interfaces: Vec<String>,
    /// The maximum number of rows per second.
    pub budget: u32,
    /// The time between two pushes, in milliseconds.
    pub interval: u32,
}

const GRAFANA: Service = Service {
    name: "Grafana",
    example: "https://grafana.example.org",
    secret: "token",
    login: "the secret that `token` names is the login",
    may_have_path: true,
};

#[derive(Debug, Error)]
enum StreamerMistake {
    #[error("`{name}` is not the name of a network interface")]
    Interface { name: String },
    #[error("`{name}` is not the name of a stream")]
    Stream { name: String },
    #[error("`acceleration = \"{acceleration}\"` cannot be combined with the streamer")]
    Acceleration { acceleration: String },
}

impl Mistake for StreamerMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::Interface { .. } => "write a name of at most 15 characters, such as `end0`".to_owned(),
            Self::Stream { .. } => "write at most 64 letters, digits, `-`, `_` or `.`".to_owned(),
            Self::Acceleration { .. } => {
                "write `acceleration = \"disabled\"`, or `enable = false` in `[streamer]`: Cilium's XDP program \
                 would redirect packets before the streamer sees them"
                    .to_owned()
            }
        };
        Some(instead)
    }
}

/// Resolves the streamer. Returns `None` if it is disabled or not written.
pub(super) fn resolve(
    written: Option<&written::Streamer>,
    cilium: Option<&Cilium>,
    cluster: Option<&Label>,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Result<Option<Streamer>, Unresolved> {
    let Some(written) = written else { return Ok(None) };
    let url = written.url.as_ref().and_then(|text| {
        problems
            .take(text.span, parse_url(&text.value, &GRAFANA))
            .map(|url| url.as_str().trim_end_matches('/').to_owned())
    });
    let token = written.token.as_ref().and_then(|text| secrets.find(text, problems));
    let stream = match &written.stream {
        Some(text) => problems.take(text.span, parse_stream(&text.value)),
        None => cluster.map(|name| name.as_str().to_owned()),
    };
    let interfaces = written.interfaces.as_deref().unwrap_or_default();
    let interfaces: Vec<_> = interfaces.iter().map(|name| interface(name, problems)).collect();
    let budget =
        number_or(500, written.budget.as_ref(), "number of rows per second", &(1..=100_000), problems);
    let interval =
        number_or(250, written.interval.as_ref(), "push interval in milliseconds", &(200..=1000), problems);
    let is_enabled = written.enable.as_ref().is_none_or(|enable| enable.value);
    if is_enabled {
        note_acceleration(written, cilium, problems);
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

/// Parses the name of a stream. Grafana Live allows channels that match `^[A-z0-9_\-\.]*$`, of at most 160 characters
/// including the names that the streamer adds.
fn parse_stream(name: &str) -> Result<String, StreamerMistake> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_name = (1..=64).contains(&name.len()) && name.bytes().all(is_allowed);
    if is_name { Ok(name.to_owned()) } else { Err(StreamerMistake::Stream { name: name.to_owned() }) }
}

/// Parses the name of a network interface: at most 15 bytes on Linux (`IFNAMSIZ` without the final NUL). Only characters
/// that are also valid in the name of a unit and in a channel of Grafana Live are accepted, since both contain the name.
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

/// Notes an acceleration, which takes packets away from the streamer: the key, or the value of Cilium's chart that it sets.
fn note_acceleration(written: &written::Streamer, cilium: Option<&Cilium>, problems: &mut Problems) {
    let Some(cilium) = cilium else { return };
    let key = cilium.acceleration.as_ref().map(|key| Spanned::new(key.value.word().to_owned(), key.span));
    let value = cilium.values.as_ref().and_then(|values| values.at(&["loadBalancer", "acceleration"]));
    let value = value.and_then(|value| match &value.value {
        FreeValue::String(word) => Some(Spanned::new(word.clone(), value.span)),
        _ => None,
    });
    for choice in [key, value].into_iter().flatten() {
        if choice.value != Acceleration::Disabled.word() {
            let mistake = StreamerMistake::Acceleration { acceleration: choice.value };
            problems.collision(choice.span, mistake, written.span, "the streamer is enabled");
        }
    }
}
