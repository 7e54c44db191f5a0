//! Decodes TOML values into types without stopping at the first mistake.

use serde_json::Value;
use thiserror::Error;
use toml::de::{DeTable, DeValue};

use crate::common::nearest::nearest;
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::source::{Span, Spanned};

/// A TOML value as the parser returns it.
pub(crate) type TomlValue<'a> = toml::Spanned<DeValue<'a>>;

/// A type that can be decoded from a TOML value. `None` means that a problem has been noted.
///
/// `path` is the value's dotted key; the items of a list have it in brackets, as in `[[node]]`.
pub(crate) trait Decode: Sized {
    const NOTATION: Notation = Notation::Value;

    fn decode(path: &str, value: &TomlValue<'_>, problems: &mut Problems) -> Option<Self>;
}

/// The TOML syntax in which a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notation {
    /// `key = …`
    Value,
    /// `[key]`
    Table,
    /// `[[key]]`
    Tables,
}

/// A field of a table, either [`Required`] or an `Option`.
pub(crate) trait Field: Sized {
    const IS_REQUIRED: bool;

    fn from_decoded(value: Option<Self::Value>) -> Self;

    type Value: Decode;
}

/// A value that must be written. `None` means that it is missing or invalid, and that a problem has been noted.
#[derive(Debug)]
pub struct Required<T>(pub Option<T>);

impl<T> Default for Required<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Required<T> {
    pub fn as_ref(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

/// A value of which one knows that it was written, even if it is invalid. `None` means that a problem has been noted.
#[derive(Debug)]
pub struct Attempt<T>(pub Option<T>);

impl<T: Decode> Decode for Attempt<T> {
    const NOTATION: Notation = T::NOTATION;

    fn decode(path: &str, value: &TomlValue<'_>, problems: &mut Problems) -> Option<Self> {
        Some(Self(T::decode(path, value, problems)))
    }
}

impl<T: Decode> Field for Required<T> {
    const IS_REQUIRED: bool = true;
    type Value = T;

    fn from_decoded(value: Option<T>) -> Self {
        Self(value)
    }
}

impl<T: Decode> Field for Option<T> {
    const IS_REQUIRED: bool = false;
    type Value = T;

    fn from_decoded(value: Option<T>) -> Self {
        value
    }
}

#[derive(Debug, Error)]
pub(crate) enum ShapeMistake {
    #[error("{message}")]
    Syntax { message: String },
    #[error("`[{key}]` is written more than once")]
    DuplicateTable { key: String },
    #[error("`{key}` is written twice")]
    DuplicateKey { key: String },
    #[error("{table} has no key `{key}`")]
    UnknownKey { table: String, key: String, nearest: Option<&'static str>, known: Vec<&'static str> },
    #[error("{table} lacks `{key}`")]
    MissingKey { table: String, key: &'static str, line: String },
    #[error("`{name}` is {found}, not {expected}")]
    WrongType { name: String, found: &'static str, expected: &'static str, instead: Option<String> },
    #[error("`{name}` is too large a number")]
    IntegerRange { name: String },
    #[error("`{found}` is not a value of `{name}`")]
    UnknownChoice {
        name: String,
        found: String,
        nearest: Option<&'static str>,
        known: &'static [&'static str],
    },
}

impl Mistake for ShapeMistake {
    fn hint_is_public(&self) -> bool {
        // The keys and words of the schema are public.
        matches!(self, Self::UnknownKey { .. } | Self::UnknownChoice { .. })
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Syntax { .. } => Some("see https://toml.io/en/v1.1.0 for the syntax".to_owned()),
            Self::DuplicateTable { key } => Some(format!("write each header as `[[{key}]]`")),
            Self::DuplicateKey { .. } => Some("remove one of them".to_owned()),
            Self::UnknownKey { key, .. } if wish(key).is_some() => wish(key).map(str::to_owned),
            Self::UnknownKey { nearest: Some(key), .. } => Some(format!("did you mean `{key}`?")),
            Self::UnknownKey { known, .. } => Some(format!("the valid keys are {}", listed(known))),
            Self::MissingKey { line, .. } => Some(format!("add `{line}`")),
            Self::WrongType { instead, .. } => instead.clone(),
            Self::IntegerRange { .. } => Some("write a smaller number".to_owned()),
            Self::UnknownChoice { nearest: Some(choice), .. } => Some(format!("did you mean `{choice}`?")),
            Self::UnknownChoice { known, .. } => Some(format!("write one of {}", listed(known))),
        }
    }
}

/// Keys that people expect but that do not exist, with a hint where to set the same thing.
const WISHES: [(&[&str], &str); 7] = [
    (
        &["vlan", "mtu", "dhcp", "routes", "search-domains", "nic", "mac"],
        "set it in `[network.interface]` for all nodes, or in `interface = { … }` of one node",
    ),
    (
        &["disk", "device"],
        "write `storage = \"/dev/…\"` in a `[[node]]` whose data disk is another one, and `[[storage.disk]]` for a further disk",
    ),
    (&["etcd-snapshots", "etcd-snapshot", "etcd-s3"], "set it in `[k3s.snapshots]`"),
    (
        &["extra-args", "k3s-flags", "kubelet-args", "node-labels", "node-taints"],
        "set `extra-flags`, `kubelet`, `labels` or `taints` in `[k3s]` for all nodes, or in `k3s = { … }` of one node",
    ),
    (&["registries", "registry"], "set it in `[k3s.registries]`"),
    (
        &["vip", "kube-vip", "load-balancer"],
        "remove it: each node balances its requests over all servers, so no virtual address is needed; `tls-san` in \
         `[k3s]` adds names for clients outside the cluster",
    ),
    (&["password", "passwords"], "name a secret instead: passwords cannot be written in this file"),
];

fn wish(key: &str) -> Option<&'static str> {
    WISHES.iter().find(|(keys, _)| keys.contains(&key)).map(|(_, hint)| *hint)
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Reads the keys of a table one by one, then notes the unknown ones.
pub(crate) struct TableReader<'a, 'i> {
    path: &'a str,
    span: Span,
    table: &'a DeTable<'i>,
    problems: &'a mut Problems,
}

impl<'a, 'i> TableReader<'a, 'i> {
    /// Returns a reader of the table at `path`, which is empty for the file itself.
    pub(crate) fn new(path: &'a str, span: Span, table: &'a DeTable<'i>, problems: &'a mut Problems) -> Self {
        Self { path, span, table, problems }
    }

    /// Returns the name of the table in messages: `[bgp]`, `[[node]]`, and `[bgp.router.status]` within `[[bgp.router]]`.
    fn header(&self) -> String {
        if self.path.is_empty() {
            return "the file".to_owned();
        }
        match self.path.strip_prefix('[') {
            Some(inner) if inner.contains("].") => format!("`[{}]`", inner.replacen("].", ".", 1)),
            _ => format!("`[{}]`", self.path),
        }
    }

    pub(crate) fn field<F: Field>(
        &mut self,
        key: &'static str,
        example: impl FnOnce() -> Option<Value>,
    ) -> F {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        let Some(value) = self.table.get(key) else {
            if F::IS_REQUIRED {
                let line = match F::Value::NOTATION {
                    Notation::Value => format!("{key} = {}", example().unwrap_or_default()),
                    Notation::Table => format!("[{path}]"),
                    Notation::Tables => format!("[[{path}]]"),
                };
                let mistake = ShapeMistake::MissingKey { table: self.header(), key, line };
                self.problems.error(self.span, mistake);
            }
            return F::from_decoded(None);
        };
        F::from_decoded(F::Value::decode(&path, value, self.problems))
    }

    pub(crate) fn finish(self, known: &[&'static str]) {
        for key in self.table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let mistake = ShapeMistake::UnknownKey {
                table: self.header(),
                key: key.get_ref().to_string(),
                nearest: nearest(key.get_ref(), known.iter().copied()),
                known: known.to_vec(),
            };
            self.problems.error(key.span().into(), mistake);
        }
    }
}

/// Notes that `value` is not of the type `expected`. The hint is `instead`, if there is one, or how a table is written.
pub(crate) fn wrong_type<T>(
    path: &str,
    value: &TomlValue<'_>,
    expected: &'static str,
    instead: Option<String>,
    problems: &mut Problems,
) -> Option<T> {
    let instead = instead.or_else(|| match value.get_ref() {
        DeValue::Array(_) if expected == "a table" => Some(format!("write its header once, as `[{path}]`")),
        _ if expected == "a table" => Some(format!("write a header `[{path}]`, and its keys below it")),
        _ => None,
    });
    let found = match value.get_ref() {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    let mistake = ShapeMistake::WrongType { name: last_key(path), found, expected, instead };
    problems.error(value.span().into(), mistake);
    None
}

/// Notes that `text` is not one of the `known` words.
pub(crate) fn unknown_choice<T>(
    path: &str,
    text: &Spanned<String>,
    known: &'static [&'static str],
    problems: &mut Problems,
) -> Option<T> {
    let mistake = ShapeMistake::UnknownChoice {
        name: last_key(path),
        found: text.value.clone(),
        nearest: nearest(&text.value, known.iter().copied()),
        known,
    };
    problems.error(text.span, mistake);
    None
}

/// Returns the last key of a path, without the tables above it.
pub(crate) fn last_key(path: &str) -> String {
    path.rsplit('.').next().unwrap_or(path).trim_matches(['[', ']']).to_owned()
}

/// Returns a value with the span of the TOML value that it comes from.
pub(crate) fn spanned<T>(value: T, from: &TomlValue<'_>) -> Spanned<T> {
    Spanned::new(value, from.span().into())
}
