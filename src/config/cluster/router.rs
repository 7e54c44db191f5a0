//! A router: the other side of each node's session.

use std::net::{Ipv4Addr, Ipv6Addr};

use thiserror::Error;

use super::address::parse_address;
use super::dual::{Addresses, Ipv6Key, Pairs, parsed};
use super::name::{Label, NameMistake};
use super::number::asn;
use super::router_status::{self, RouterAccess};
use super::secrets::{SecretLookup, SecretName};
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::written::{self, Text};

#[derive(Debug, Clone)]
pub struct Router {
    pub name: Label,
    /// The nodes have a session with each of its addresses.
    pub address: Addresses,
    pub asn: u32,
    pub platform: Platform,
    /// As written, for people to read.
    pub version: String,
    pub password: Option<SecretName>,
    /// How it is asked what it sees.
    pub access: RouterAccess,
    session_prefix: String,
}

impl Router {
    /// What the router calls its session with a node.
    #[must_use]
    pub fn session_name(&self, node: &Label) -> String {
        format!("{}{node}", self.session_prefix)
    }
}

/// What runs on a router, as far as its language depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    Routeros(RouterosSyntax),
    Frr,
    Bird,
    Vyos,
    Opnsense,
}

/// The languages of `RouterOS`, oldest first.
///
/// Source: the command trees of `RouterOS` 7.9 to 7.24rc1 (tikoci/restraml, `docs/<version>/inspect.json`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouterosSyntax {
    /// To 7.18: a connection has `address-families`.
    AddressFamilies,
    /// 7.19: a connection has `afi`.
    Afi,
    /// 7.20 and 7.21: a connection belongs to an instance.
    Instance,
    /// From 7.22: an instance has `multipath`.
    Multipath,
}

/// Major and minor number of a release.
type MajorMinor = (u32, u32);

/// The oldest and newest release of `RouterOS` whose commands are known.
const ROUTEROS: (MajorMinor, MajorMinor) = ((7, 9), (7, 24));
/// `bgp graceful-restart notification` came with it.
const FRR: MajorMinor = (8, 4);
/// The first with `protocols bgp system-as`.
const VYOS: MajorMinor = (1, 4);
/// Characters of a prefix that leave room for a name.
const SESSION_PREFIX_LIMIT: usize = 32;

#[derive(Debug, Error)]
enum RouterMistake {
    #[error("`{version}` is not a version")]
    Version { version: String },
    #[error("nothing can be rendered for {platform} {version}")]
    TooOld { platform: &'static str, version: String, least: MajorMinor },
    #[error("nothing can be rendered for BIRD {version}")]
    Bird { version: String },
    #[error("the commands of RouterOS {version} have not been seen")]
    Unseen { version: String },
    #[error("`{prefix}` cannot begin the name of a session")]
    SessionPrefix { prefix: String, source: NameMistake },
}

impl Mistake for RouterMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::Version { .. } => "write it as the router prints it, such as `7.18`".to_owned(),
            Self::TooOld { least: (major, minor), .. } => {
                format!("update the router to {major}.{minor} or a newer version, and write that one")
            }
            Self::Bird { .. } => "write a version of BIRD 2 or 3, such as `2.0.12`".to_owned(),
            Self::Unseen { .. } => {
                let (major, minor) = ROUTEROS.1;
                format!("what suits {major}.{minor} is rendered: read it before you apply it")
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
    let platform = match (written.platform.as_ref(), written.version.as_ref()) {
        (Some(platform), Some(version)) => resolve_platform(platform.value, version, problems),
        _ => None,
    };
    let password = secrets.find_optional(written.password.as_ref(), problems);
    let session_prefix = match &written.session_prefix {
        Some(text) => problems.take(text.span, parse_session_prefix(&text.value))?,
        None => String::new(),
    };
    let access = router_status::resolve(written, v4.map(|v4| v4.value), secrets, problems);
    Some(Router {
        name: name?,
        address: address?,
        asn: own_asn?,
        platform: platform?,
        version: written.version.as_ref()?.value.clone(),
        password: password.ok()?,
        access: access?,
        session_prefix,
    })
}

fn resolve_platform(
    platform: written::Platform,
    version: &Text,
    problems: &mut Problems,
) -> Option<Platform> {
    let written = || version.value.clone();
    let release = problems.take(
        version.span,
        major_minor(version).ok_or_else(|| RouterMistake::Version { version: written() }),
    )?;
    let no_older_than = |least, platform| {
        if release < least {
            Err(RouterMistake::TooOld { platform, version: written(), least })
        } else {
            Ok(())
        }
    };
    let resolved = match platform {
        written::Platform::Routeros => {
            if release > ROUTEROS.1 {
                problems.warning(version.span, RouterMistake::Unseen { version: written() });
            }
            no_older_than(ROUTEROS.0, "RouterOS").map(|()| Platform::Routeros(RouterosSyntax::of(release)))
        }
        written::Platform::Frr => no_older_than(FRR, "FRR").map(|()| Platform::Frr),
        written::Platform::Bird if !matches!(release.0, 2 | 3) => {
            Err(RouterMistake::Bird { version: written() })
        }
        written::Platform::Bird => Ok(Platform::Bird),
        written::Platform::Vyos => no_older_than(VYOS, "VyOS").map(|()| Platform::Vyos),
        written::Platform::Opnsense => Ok(Platform::Opnsense),
    };
    problems.take(version.span, resolved)
}

impl RouterosSyntax {
    fn of(release: MajorMinor) -> Self {
        match release {
            (7, ..=18) => Self::AddressFamilies,
            (7, 19) => Self::Afi,
            (7, 20 | 21) => Self::Instance,
            _ => Self::Multipath,
        }
    }
}

/// The numbers that a version begins with: 7 and 22 of `7.22rc1`. A version is one word of letters, digits, `.`, `-`
/// and `+`.
fn major_minor(version: &Text) -> Option<MajorMinor> {
    let text = version.value.as_str();
    let is_word = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte));
    let (major, rest) = text.split_once('.').unwrap_or((text, "0"));
    let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    let numbers = (major.parse().ok()?, rest[..digits].parse().ok()?);
    is_word.then_some(numbers)
}

/// Whatever a node is called, the name of its session is then made as a label is.
fn parse_session_prefix(prefix: &str) -> Result<String, RouterMistake> {
    let label = Label::parse(&format!("{prefix}0")).and_then(|label| label.within(SESSION_PREFIX_LIMIT));
    match label {
        Ok(_) => Ok(prefix.to_owned()),
        Err(source) => Err(RouterMistake::SessionPrefix { prefix: prefix.to_owned(), source }),
    }
}
