//! `[bgp.router.status]`: how a router is asked for its state, `RouterOS` over its REST API, the others over ssh.

use std::net::Ipv4Addr;

use thiserror::Error;
use url::Url;

use super::secrets::{SecretLookup, SecretName};
use super::url::{Service, parse_url};
use crate::common::certificate::{Fingerprint, NotAFingerprint};
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::platforms::StatusSource;
use crate::config::written::{self, Text};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouterAccess {
    /// `rk1 status` skips the router.
    Off,
    /// The file names no user for the REST API.
    NoUser,
    Rest(RestAccess),
    /// The destination for `ssh`: `host` or `user@host`.
    Ssh(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestAccess {
    /// The base URL, without a path.
    pub url: Url,
    pub user: String,
    /// If `None`, the environment has it.
    pub password: Option<SecretName>,
    /// If `None`, the certificate must be signed by an authority that this machine trusts.
    pub fingerprint: Option<Fingerprint>,
}

const REST_API: Service = Service {
    name: "the REST API",
    example: "https://172.16.10.1",
    secret: "password",
    login: "the keys `user` and `password` are the login",
    may_have_path: false,
};

#[derive(Debug, Error)]
enum StatusMistake {
    #[error("`{key}` has no effect on this platform")]
    OtherPlatform { key: &'static str, keys: &'static str },
    #[error("`user` is missing")]
    NoUser,
    #[error("this is not a user name")]
    NotAUser,
    #[error("`{url}` sends the password unencrypted unless the name resolves to a private address")]
    NamedHttp { url: Url },
    #[error("this is not the SHA-256 fingerprint of a certificate")]
    NotAFingerprint,
    #[error("`fingerprint` has no effect without https")]
    NoCertificate,
    #[error("`{text}` is not a destination for ssh")]
    NotADestination { text: String },
}

impl Mistake for StatusMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::OtherPlatform { keys, .. } => format!("remove it: the keys for this platform are {keys}"),
            Self::NoUser => {
                "add a line such as `user = \"rk1\"`: a RouterOS user of the group `read`".to_owned()
            }
            Self::NotAUser => "write a name without a colon, such as `rk1`".to_owned(),
            Self::NamedHttp { .. } => "write `https`, or the address of the router".to_owned(),
            Self::NotAFingerprint => {
                "write the 64 hexadecimal digits that `/certificate/print detail` shows".to_owned()
            }
            Self::NoCertificate => "remove `fingerprint`, or write `https` in `url`".to_owned(),
            Self::NotADestination { .. } => "write `user@host`, such as `root@172.16.10.1`".to_owned(),
        };
        Some(instead)
    }

    fn marks_secret(&self) -> bool {
        // A user name with a colon is most likely followed by the password.
        matches!(self, Self::NotAUser)
    }
}

pub(super) fn resolve(
    router: &written::Router,
    address: Option<Ipv4Addr>,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<RouterAccess> {
    let written = router.status.as_ref();
    let access = match (written, router.platform.as_ref()?.value.status) {
        (None, StatusSource::RestApi) => Some(RouterAccess::NoUser),
        (Some(written), StatusSource::RestApi) => resolve_rest(written, address, secrets, problems),
        (written, StatusSource::Ssh { user, .. }) => resolve_ssh(written, address, user, problems),
    };
    let is_off = written.and_then(|written| written.enable.as_ref()).is_some_and(|enable| !enable.value);
    if is_off { access.map(|_| RouterAccess::Off) } else { access }
}

fn resolve_rest(
    written: &written::RouterStatus,
    address: Option<Ipv4Addr>,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<RouterAccess> {
    note_foreign(&[("ssh", written.ssh.as_ref())], "`user`, `password`, `url` and `fingerprint`", problems);
    let user = written.user.as_ref().map(|text| (text.span, parse_http_user(&text.value)));
    let (span, user) = user.unwrap_or((written.span, Err(StatusMistake::NoUser)));
    let user = problems.take(span, user);
    let password = secrets.find_optional(written.password.as_ref(), problems);
    let url = match &written.url {
        Some(text) => problems.take(text.span, parse_url(&text.value, &REST_API)).inspect(|url| {
            if url.scheme() == "http" && url.domain().is_some() {
                problems.warning(text.span, StatusMistake::NamedHttp { url: url.clone() });
            }
        }),
        None => address.and_then(|address| Url::parse(&format!("https://{address}")).ok()),
    };
    let fingerprint = match &written.fingerprint {
        Some(text) => {
            if url.as_ref().is_some_and(|url| url.scheme() == "http") {
                problems.error(text.span, StatusMistake::NoCertificate);
            }
            let parsed = text.value.parse().map_err(|NotAFingerprint| StatusMistake::NotAFingerprint);
            problems.take(text.span, parsed).map(Some)
        }
        None => Some(None),
    };
    Some(RouterAccess::Rest(RestAccess {
        url: url?,
        user: user?,
        password: password.ok()?,
        fingerprint: fingerprint?,
    }))
}

fn resolve_ssh(
    written: Option<&written::RouterStatus>,
    address: Option<Ipv4Addr>,
    user: &'static str,
    problems: &mut Problems,
) -> Option<RouterAccess> {
    let usual = || address.map(|address| RouterAccess::Ssh(format!("{user}@{address}")));
    let Some(written) = written else { return usual() };
    let rest = [
        ("user", written.user.as_ref()),
        ("password", written.password.as_ref()),
        ("url", written.url.as_ref()),
        ("fingerprint", written.fingerprint.as_ref()),
    ];
    note_foreign(&rest, "`enable` and `ssh`", problems);
    match &written.ssh {
        Some(text) => problems.take(text.span, parse_destination(&text.value)).map(RouterAccess::Ssh),
        None => usual(),
    }
}

fn note_foreign(written: &[(&'static str, Option<&Text>)], keys: &'static str, problems: &mut Problems) {
    for (key, text) in written {
        if let Some(text) = text {
            problems.warning(text.span, StatusMistake::OtherPlatform { key, keys });
        }
    }
}

/// Parses the user of HTTP basic authentication. A colon would end the name (RFC 7617, section 2).
fn parse_http_user(text: &str) -> Result<String, StatusMistake> {
    let is_name =
        !text.is_empty() && !text.contains(|character: char| character == ':' || character.is_control());
    if is_name { Ok(text.to_owned()) } else { Err(StatusMistake::NotAUser) }
}

fn parse_destination(text: &str) -> Result<String, StatusMistake> {
    if is_ssh_destination(text) {
        Ok(text.to_owned())
    } else {
        Err(StatusMistake::NotADestination { text: text.to_owned() })
    }
}

/// Returns whether a text is a destination for ssh: one word that is not an option. What it means is up to the user's
/// configuration of ssh.
pub(super) fn is_ssh_destination(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"@.:-_[]%".contains(&byte);
    !text.is_empty() && !text.starts_with('-') && !text.contains("@-") && text.bytes().all(is_word)
}
