//! How a router is asked what it sees: `RouterOS` over its REST API, the others over ssh.

use std::net::Ipv4Addr;

use thiserror::Error;
use url::Url;

use super::secrets::{SecretLookup, SecretName};
use super::streamer::is_public;
use crate::certificate::{Fingerprint, NotAFingerprint};
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::written::{self, Platform, Text};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouterAccess {
    /// It is not to be asked.
    Off,
    /// Nobody said by which user.
    Unsaid,
    Rest(RestAccess),
    /// What `ssh` is given: a host, or a user at it.
    Ssh(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestAccess {
    /// Without a path.
    pub url: Url,
    pub user: String,
    /// `None`: the environment has it.
    pub password: Option<SecretName>,
    /// `None`: the authorities that the machine trusts decide.
    pub fingerprint: Option<Fingerprint>,
}

#[derive(Debug, Error)]
enum AccessMistake {
    #[error("`{key}` does nothing on this platform")]
    OtherPlatform { key: &'static str, keys: &'static str },
    #[error("nobody is named whom RouterOS lets in")]
    NoUser,
    #[error("this is not the name of a user")]
    NotAUser,
    #[error("`{text}` is not the address of a REST API: {reason}")]
    NotAUrl { text: String, reason: String },
    #[error("the address of the router holds a user name or a password")]
    Credentials,
    #[error("`{url}` sends the password in the clear over a public network")]
    PublicHttp { url: String },
    #[error("this is not the SHA-256 fingerprint of a certificate")]
    NotAFingerprint,
    #[error("there is no certificate without https")]
    NoCertificate,
    #[error("`{text}` is not something that ssh reaches")]
    NotADestination { text: String },
}

impl Mistake for AccessMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::OtherPlatform { keys, .. } => format!("leave it out: its keys are {keys}"),
            Self::NoUser => "add `user = \"rk1\"`, a user of the group `read`".to_owned(),
            Self::NotAUser => "write a name without a colon, such as `rk1`".to_owned(),
            Self::NotAUrl { .. } => "write scheme and host, such as `https://172.16.10.1`".to_owned(),
            Self::Credentials => "leave them out: `user` and `password` say who asks".to_owned(),
            Self::PublicHttp { url } => format!("write `{}`", url.replacen("http:", "https:", 1)),
            Self::NotAFingerprint => {
                "write the 64 hexadecimal digits that `/certificate/print detail` has for it".to_owned()
            }
            Self::NoCertificate => "leave `fingerprint` out, or write `https` in `url`".to_owned(),
            Self::NotADestination { .. } => "write `user@host`, such as `root@172.16.10.1`".to_owned(),
        };
        Some(instead)
    }

    fn marks_secret(&self) -> bool {
        // A user with a colon is most likely a user with his password.
        matches!(self, Self::Credentials | Self::NotAUser)
    }
}

pub(super) fn resolve(
    router: &written::Router,
    address: Option<Ipv4Addr>,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<RouterAccess> {
    let typed = router.status.as_ref();
    let access = match (typed, router.platform.as_ref()?.value) {
        (None, Platform::Routeros) => Some(RouterAccess::Unsaid),
        (Some(typed), Platform::Routeros) => resolve_rest(typed, address, secrets, problems),
        (typed, platform) => resolve_ssh(typed, address, platform, problems),
    };
    let is_off = typed.and_then(|typed| typed.enable.as_ref()).is_some_and(|enable| !enable.value);
    if is_off { access.map(|_| RouterAccess::Off) } else { access }
}

fn resolve_rest(
    typed: &written::RouterStatus,
    address: Option<Ipv4Addr>,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<RouterAccess> {
    note_foreign(&[("ssh", typed.ssh.as_ref())], "`user`, `password`, `url` and `fingerprint`", problems);
    let user = typed.user.as_ref().map(|text| (text.span, parse_user(&text.value)));
    let (span, user) = user.unwrap_or((typed.span, Err(AccessMistake::NoUser)));
    let user = problems.take(span, user);
    let password = match &typed.password {
        Some(text) => secrets.find(text, problems).map(Some),
        None => Some(None),
    };
    let url = match &typed.url {
        Some(text) => problems.take(text.span, parse_url(&text.value)),
        None => address.and_then(|address| Url::parse(&format!("https://{address}")).ok()),
    };
    let fingerprint = match &typed.fingerprint {
        Some(text) => {
            if url.as_ref().is_some_and(|url| url.scheme() == "http") {
                problems.error(text.span, AccessMistake::NoCertificate);
            }
            let parsed = text.value.parse().map_err(|NotAFingerprint| AccessMistake::NotAFingerprint);
            problems.take(text.span, parsed).map(Some)
        }
        None => Some(None),
    };
    Some(RouterAccess::Rest(RestAccess {
        url: url?,
        user: user?,
        password: password?,
        fingerprint: fingerprint?,
    }))
}

fn resolve_ssh(
    typed: Option<&written::RouterStatus>,
    address: Option<Ipv4Addr>,
    platform: Platform,
    problems: &mut Problems,
) -> Option<RouterAccess> {
    let user = if platform == Platform::Vyos { "vyos" } else { "root" };
    let usual = || address.map(|address| RouterAccess::Ssh(format!("{user}@{address}")));
    let Some(typed) = typed else { return usual() };
    let rest = [
        ("user", typed.user.as_ref()),
        ("password", typed.password.as_ref()),
        ("url", typed.url.as_ref()),
        ("fingerprint", typed.fingerprint.as_ref()),
    ];
    note_foreign(&rest, "`enable` and `ssh`", problems);
    match &typed.ssh {
        Some(text) => problems.take(text.span, parse_destination(&text.value)).map(RouterAccess::Ssh),
        None => usual(),
    }
}

fn note_foreign(written: &[(&'static str, Option<&Text>)], keys: &'static str, problems: &mut Problems) {
    for (key, text) in written {
        if let Some(text) = text {
            problems.warning(text.span, AccessMistake::OtherPlatform { key, keys });
        }
    }
}

/// A colon would end it (RFC 7617, section 2).
fn parse_user(text: &str) -> Result<String, AccessMistake> {
    let is_name =
        !text.is_empty() && !text.contains(|character: char| character == ':' || character.is_control());
    if is_name { Ok(text.to_owned()) } else { Err(AccessMistake::NotAUser) }
}

fn parse_url(text: &str) -> Result<Url, AccessMistake> {
    let unfit = |reason: String| AccessMistake::NotAUrl { text: text.to_owned(), reason };
    // `router:8443` parses as the scheme `router`, which is not what was meant.
    if !text.contains("://") {
        return Err(unfit("it has no scheme".to_owned()));
    }
    let url = Url::parse(text).map_err(|error| unfit(error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AccessMistake::Credentials);
    }
    match url.scheme() {
        "http" if is_public(&url) => Err(AccessMistake::PublicHttp { url: text.to_owned() }),
        "http" | "https" if url.path() == "/" && url.query().is_none() => Ok(url),
        "http" | "https" => Err(unfit("it has a path".to_owned())),
        scheme => Err(unfit(format!("its scheme is `{scheme}`"))),
    }
}

/// One word that is no option. ssh itself knows what it means.
fn parse_destination(text: &str) -> Result<String, AccessMistake> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"@.:-_[]%".contains(&byte);
    let is_destination =
        !text.is_empty() && !text.starts_with('-') && !text.contains("@-") && text.bytes().all(is_word);
    if is_destination {
        Ok(text.to_owned())
    } else {
        Err(AccessMistake::NotADestination { text: text.to_owned() })
    }
}
