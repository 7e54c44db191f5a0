//! Which interfaces to stream.

use std::fmt;

/// The interfaces that were asked for: names, patterns, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection(Vec<Pattern>);

/// One value of `--interface`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// An interface that must exist when the daemon starts, and may go away and come back later.
    Name(String),
    /// `*` stands for any characters, `?` for one. Interfaces that match join and leave at any time.
    Glob(String),
    /// Every interface.
    Any,
}

impl Pattern {
    fn parse(text: &str) -> Self {
        match text {
            "any" => Self::Any,
            _ if text.contains(['*', '?']) => Self::Glob(text.to_owned()),
            _ => Self::Name(text.to_owned()),
        }
    }

    fn matches(&self, interface: &str) -> bool {
        match self {
            Self::Name(name) => name == interface,
            Self::Glob(glob) => glob_matches(glob.as_bytes(), interface.as_bytes()),
            Self::Any => true,
        }
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, pattern) in self.0.iter().enumerate() {
            let text = match pattern {
                Pattern::Name(text) | Pattern::Glob(text) => text,
                Pattern::Any => "any",
            };
            write!(f, "{}`{text}`", if at == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl Selection {
    /// Parses the values of `--interface`; each counts once. Returns None if there are none.
    #[must_use]
    pub fn parse(values: &[String]) -> Option<Self> {
        let mut patterns = Vec::new();
        for value in values.iter().map(|value| value.trim()).filter(|value| !value.is_empty()) {
            let pattern = Pattern::parse(value);
            if !patterns.contains(&pattern) {
                patterns.push(pattern);
            }
        }
        if patterns.is_empty() { None } else { Some(Self(patterns)) }
    }

    /// Returns the interfaces that were asked for by their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|pattern| match pattern {
            Pattern::Name(name) => Some(name.as_str()),
            Pattern::Glob(_) | Pattern::Any => None,
        })
    }

    /// Returns whether interfaces may join later.
    #[must_use]
    pub fn has_patterns(&self) -> bool {
        self.0.iter().any(|pattern| !matches!(pattern, Pattern::Name(_)))
    }

    #[must_use]
    pub fn matches(&self, interface: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(interface))
    }
}

/// Compares from the left; after a mismatch, the last `*` takes one character more.
fn glob_matches(glob: &[u8], text: &[u8]) -> bool {
    let (mut at, mut position) = (0, 0);
    let mut retry = None;
    while position < text.len() {
        match glob.get(at) {
            Some(b'*') => {
                at += 1;
                retry = Some((at, position));
            }
            Some(byte) if *byte == b'?' || text.get(position) == Some(byte) => {
                at += 1;
                position += 1;
            }
            _ => {
                let Some((after_star, taken)) = retry else { return false };
                (at, position) = (after_star, taken + 1);
                retry = Some((at, position));
            }
        }
    }
    glob.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(values: &[&str]) -> Option<Selection> {
        Selection::parse(&values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, matching, other) in [
            ("veth*", &["veth", "veth0", "veth1a2b"][..], &["eth0", "vet"][..]),
            ("*", &["lo", "end0"], &[]),
            ("e*d?", &["end0", "eeddd1"], &["end", "end01x"]),
            ("*a*b", &["ab", "xaxbxb"], &["ba", "abx"]),
            ("any", &["lo", "end0"], &[]),
            ("end0", &["end0"], &["end00", "xend0"]),
        ] {
            let selection = selection(&[pattern]).unwrap();
            assert!(matching.iter().all(|name| selection.matches(name)), "{pattern}");
            assert!(!other.iter().any(|name| selection.matches(name)), "{pattern}");
        }
    }

    #[test]
    fn names_are_kept_once_and_apart_from_patterns() {
        let selection = selection(&["end0", " lo", "end0", "", "veth*"]).unwrap();
        assert_eq!(selection.names().collect::<Vec<_>>(), ["end0", "lo"]);
        assert!(selection.has_patterns());
        assert_eq!(selection.to_string(), "`end0`, `lo`, `veth*`");
    }

    #[test]
    fn nothing_is_no_selection() {
        assert_eq!((selection(&[]), selection(&["", " "])), (None, None));
    }
}
