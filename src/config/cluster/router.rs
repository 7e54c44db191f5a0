//! `[[bgp.router]]`: the routers, with which each node has a session.

use std::net::{Ipv4Addr, Ipv6Addr};

use thiserror::Error;

use super::address::parse_address;
use super::dual::{Addresses, Ipv6Key, Pairs, parsed};
use super::name::{Label, NameMistake};
use super::number::{asn, number_or};
use super::router_status::{self, RouterAccess};
use super::secrets::{SecretLookup, SecretName};
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::platforms::{MajorMinor, Platform, Releases};
use crate::config::source::Spanned;
use crate::config::written::{self, Text};

#[derive(Debug, Clone)]
pub struct Router {
    pub name: Label,
    /// The nodes have a session with each of its addresses.
    pub address: Addresses,
    pub asn: u32,
    pub platform: &'static Platform,
    /// Its version, for people to read.
    pub version: String,
    /// What the version begins with.
    pub release: MajorMinor,
    pub password: Option<SecretName>,
    /// The time to live of the sessions' packets, if the router is not in the nodes' network.
    pub multihop: Option<Spanned<u8>>,
    /// How `rk1 status` asks it for its state.
    pub access: RouterAccess,
    session_prefix: String,
}

impl Router {
    /// Whether it installs one route with several next hops.
    #[must_use]
    pub fn installs_several_next_hops(&self) -> bool {
        self.platform.installs_several_next_hops(self.release)
    }

    /// The name of the session with a node on the router.
    #[must_use]
    pub fn session_name(&self, node: &Label) -> String {
        format!("{}{node}", self.session_prefix)
    }
}

/// Characters of a prefix. A longer one would leave too few for the name of a node.
const SESSION_PREFIX_LIMIT: usize = 32;

#[derive(Debug, Error)]
enum RouterMistake {
    #[error("`{version}` is not a version")]
    Version { version: String, platform: &'static Platform },
    #[error("{} {version} is not supported", platform.name)]
    Unsupported { version: String, platform: &'static Platform },
    #[error("{} {version} is newer than the releases whose commands are known", platform.name)]
    Unseen { version: String, platform: &'static Platform, newest: MajorMinor },
    #[error("`{prefix}` cannot begin the name of a session")]
    SessionPrefix { prefix: String, source: NameMistake },
}

impl Mistake for RouterMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::Version { platform, .. } => {
                format!("write it as the router prints it, such as `{}`", platform.releases.example)
            }
            Self::Unsupported { platform, .. } => {
                let Releases { oldest: (major, minor), end, .. } = platform.releases;
                let before = end.map(|(end, _)| format!(" before {end}")).unwrap_or_default();
                format!("use {major}.{minor} or a newer version{before}")
            }
            Self::Unseen { newest: (major, minor), .. } => {
                format!("the files are rendered for {major}.{minor}: read them before you apply them")
            }
            Self::SessionPrefix { .. } => {
                "write a-z, 0-9 and `-`, beginning with a letter or digit, such as `srv-`".to_owned()
            }
        };
        Some(instead)
    }
}

pub(super) fn resolve(
    written: &written::Router,
    nodes_asn: Option<u32>,
    pairs: &mut Pairs,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<Router> {
    let name = written.name.as_ref().and_then(|text| problems.take(text.span, Label::parse(&text.value)));
    let v4 = written.address.as_ref().and_then(|text| parsed(text, parse_address::<Ipv4Addr>, problems));
    let key = Ipv6Key {
        table: "[[bgp.router]]",
        header: written.span,
        name: "address-ipv6",
        example: "fd00:172:16:10::1",
        text: written.address_ipv6.as_ref(),
    };
    let address = pairs.join(v4, key, parse_address::<Ipv6Addr>, problems);
    let own_asn = match &written.asn {
        Some(number) => asn(number, problems),
        None => nodes_asn,
    };
    let platform = written.platform.as_ref().map(|platform| platform.value);
    let version = platform.zip(written.version.as_ref());
    let version = version.and_then(|(platform, text)| resolve_version(platform, text, problems));
    let password = secrets.find_optional(written.password.as_ref(), problems);
    let session_prefix = match &written.session_prefix {
        Some(text) => problems.take(text.span, parse_session_prefix(&text.value))?,
        None => String::new(),
    };
    let multihop = written.multihop.as_ref().map(|number| {
        let ttl = number_or(2, Some(number), "time to live", &(2..=u8::MAX), problems)?;
        Some(Spanned::new(ttl, number.span))
    });
    let access = router_status::resolve(written, v4.map(|v4| v4.value), secrets, problems);
    let (version, release) = version?;
    Some(Router {
        name: name?,
        address: address?,
        asn: own_asn?,
        platform: platform?,
        version,
        release,
        password: password.ok()?,
        multihop: match multihop {
            Some(resolved) => Some(resolved?),
            None => None,
        },
        access: access?,
        session_prefix,
    })
}

/// The version without words around it, and its first two numbers. A version that nothing can be rendered for is noted.
fn resolve_version(
    platform: &'static Platform,
    text: &Text,
    problems: &mut Problems,
) -> Option<(String, MajorMinor)> {
    let found = text.value.split_whitespace().find_map(|word| {
        let version = word.strip_prefix('v').unwrap_or(word);
        Some((version.to_owned(), major_minor(version)?))
    });
    let missing = || RouterMistake::Version { version: text.value.clone(), platform };
    let (version, release) = problems.take(text.span, found.ok_or_else(missing))?;
    let releases = &platform.releases;
    if release < releases.oldest || releases.end.is_some_and(|end| release >= end) {
        problems.error(text.span, RouterMistake::Unsupported { version: version.clone(), platform });
    } else if let Some(newest) = releases.newest_known.filter(|newest| release > *newest) {
        let version = version.clone();
        problems.warning(text.span, RouterMistake::Unseen { version, platform, newest });
    }
    Some((version, release))
}

/// The numbers that a version begins with: 7 and 22 of `7.22rc1`. A version is one word of letters, digits, `.`, `-`, `_`
/// and `+`.
fn major_minor(version: &str) -> Option<MajorMinor> {
    let is_word = version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_+".contains(&byte));
    let (major, rest) = version.split_once('.').unwrap_or((version, "0"));
    let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    let numbers = (major.parse().ok()?, rest[..digits].parse().ok()?);
    is_word.then_some(numbers)
}

/// Parses a prefix. Any name of a node after it gives a label.
fn parse_session_prefix(prefix: &str) -> Result<String, RouterMistake> {
    let label = Label::parse(&format!("{prefix}0")).and_then(|label| label.within(SESSION_PREFIX_LIMIT));
    match label {
        Ok(_) => Ok(prefix.to_owned()),
        Err(source) => Err(RouterMistake::SessionPrefix { prefix: prefix.to_owned(), source }),
    }
}
