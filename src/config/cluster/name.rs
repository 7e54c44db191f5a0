//! DNS labels (RFC 1123) and domain names.

use std::fmt;
use std::net::IpAddr;

use serde::Serialize;
use thiserror::Error;

use crate::config::diagnostics::Mistake;

/// The maximum length of a label in octets (RFC 1035, section 2.3.4).
const LABEL_LIMIT: usize = 63;
/// The maximum length of a domain name in characters. RFC 1035, section 2.3.4, allows 255 octets with the length octets.
const DOMAIN_LIMIT: usize = 253;

/// A DNS label in lower case, as Kubernetes requires (RFC 1123, section 2.1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Label(String);

/// A host name or domain of at least two labels.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Domain(String);

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameMistake {
    #[error("the name is empty")]
    Empty,
    #[error("`{name}` has {length} characters, more than {limit}")]
    TooLong { name: String, length: usize, limit: usize },
    #[error("`{name}` is not a DNS label: it contains `{}`", character.escape_debug())]
    Character { name: String, character: char },
    #[error("`{name}` is not a DNS label: it begins or ends with a hyphen")]
    OuterHyphen { name: String },
    #[error("`{name}` is a single label, not a domain")]
    NotADomain { name: String },
}

impl Mistake for NameMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::Empty => "write 1 to 63 characters: a-z, 0-9 and `-`".to_owned(),
            Self::TooLong { limit, .. } => format!("write at most {limit} characters"),
            Self::Character { name, .. } if Label::parse(&suggested(name)).is_ok() && !name.contains('.') => {
                format!("write `{}`: only a-z, 0-9 and `-` are allowed (RFC 1123)", suggested(name))
            }
            Self::Character { .. } => "use only a-z, 0-9 and `-` (RFC 1123)".to_owned(),
            Self::OuterHyphen { name } => format!("write `{}`", name.trim_matches('-')),
            Self::NotADomain { name } => {
                format!("add the parent domain, such as `{name}.example.org`")
            }
        };
        Some(instead)
    }
}

/// Returns the valid name that was probably meant.
fn suggested(name: &str) -> String {
    let spelled = name.to_ascii_lowercase().replace(['_', ' '], "-");
    spelled.trim_matches('-').to_owned()
}

impl Label {
    pub fn parse(name: &str) -> Result<Self, NameMistake> {
        let length = name.chars().count();
        if name.is_empty() {
            return Err(NameMistake::Empty);
        }
        let is_allowed = |character: &char| matches!(character, 'a'..='z' | '0'..='9' | '-');
        if let Some(character) = name.chars().find(|character| !is_allowed(character)) {
            return Err(NameMistake::Character { name: name.to_owned(), character });
        }
        if name.starts_with('-') || name.ends_with('-') {
            return Err(NameMistake::OuterHyphen { name: name.to_owned() });
        }
        Self(name.to_owned()).at_most(LABEL_LIMIT, length)
    }

    /// Returns the label, or an error if it has more than `limit` characters.
    pub fn within(self, limit: usize) -> Result<Self, NameMistake> {
        let length = self.0.len();
        self.at_most(limit, length)
    }

    fn at_most(self, limit: usize, length: usize) -> Result<Self, NameMistake> {
        if length > limit { Err(NameMistake::TooLong { name: self.0, length, limit }) } else { Ok(self) }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Domain {
    pub fn parse(name: &str) -> Result<Self, NameMistake> {
        if name.len() > DOMAIN_LIMIT {
            return Err(NameMistake::TooLong {
                name: name.to_owned(),
                length: name.len(),
                limit: DOMAIN_LIMIT,
            });
        }
        for label in name.split('.') {
            Label::parse(label)?;
        }
        if name.contains('.') {
            Ok(Self(name.to_owned()))
        } else {
            Err(NameMistake::NotADomain { name: name.to_owned() })
        }
    }

    /// Returns whether it is `other` or a subdomain of it.
    #[must_use]
    pub fn is_within(&self, other: &Domain) -> bool {
        self.0.strip_suffix(&other.0).is_some_and(|front| front.is_empty() || front.ends_with('.'))
    }

    /// Returns whether it is one label below `parent`: the names that `*.parent` matches (RFC 6125, section 6.4.3).
    #[must_use]
    pub fn is_child_of(&self, parent: &Domain) -> bool {
        self.0.split_once('.').is_some_and(|(_, rest)| rest == parent.0)
    }

    /// Returns the domain `label` below this one.
    #[must_use]
    pub fn child(&self, label: &str) -> Self {
        Self(format!("{label}.{}", self.0))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns whether the text is the name or the address of a host.
pub(super) fn is_host(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok() || Label::parse(text).is_ok() || Domain::parse(text).is_ok()
}

impl fmt::Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
