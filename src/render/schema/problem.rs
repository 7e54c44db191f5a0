//! What is wrong with an object or with Helm values, as data.

use serde_json::Value;
use thiserror::Error;

use crate::config::diagnostics::Mistake;

/// Something that would be refused or silently dropped.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{}{mistake}", place(.path))]
pub struct ResourceProblem {
    /// The path as `kubectl` writes it, such as `spec.peers[0].name`; empty for the whole object.
    pub path: String,
    pub mistake: ResourceMistake,
}

fn place(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("`{path}`: ") }
}

impl Mistake for ResourceProblem {
    fn hint(&self) -> Option<String> {
        self.mistake.hint()
    }
}

#[derive(Debug, Clone, PartialEq, Error)]
pub enum ResourceMistake {
    #[error("unknown kind `{kind}` of `{api_version}`")]
    UnknownKind {
        api_version: String,
        kind: String,
        /// Version and kind of the similar ones, or of all.
        known: Vec<String>,
    },
    #[error("rk1 has no schema for {what}")]
    NoSchema { what: String, known: Vec<String> },
    #[error("a Secret must not be in a file that others can read")]
    Secret,
    #[error("unknown key `{key}`")]
    UnknownKey { key: String, nearest: Option<String>, known: Vec<String> },
    #[error("the key `{key}` is missing")]
    MissingKey { key: String },
    #[error("{found} is not {expected}")]
    WrongType { found: String, expected: String },
    #[error("{found} is not one of the allowed values")]
    NotAChoice { found: String, nearest: Option<String>, choices: Vec<String> },
    #[error("{found} does not match the pattern {}", cut(.pattern, SHOWN_RULE))]
    Pattern { found: String, pattern: String },
    #[error("{found} is not {expected}")]
    Format { found: String, expected: &'static str },
    #[error("{found} is less than {minimum}")]
    TooSmall { found: String, minimum: String },
    #[error("{found} is more than {maximum}")]
    TooLarge { found: String, maximum: String },
    #[error("too few {unit}: {count}")]
    TooFew { count: usize, minimum: u64, unit: &'static str },
    #[error("too many {unit}: {count}")]
    TooMany { count: usize, maximum: u64, unit: &'static str },
    #[error("{message}")]
    Duplicate { message: String },
    #[error("{found} has none of the allowed forms")]
    NoAlternative { found: String },
    #[error("{found} has several forms of which only one is allowed")]
    SeveralAlternatives { found: String },
    #[error("{found} is not allowed here")]
    NotAllowed { found: String },
    #[error("{message}")]
    Rule { rule: String, message: String },
    #[error("{message}")]
    ChartRule { message: String, instead: String },
    #[error("a {kind} belongs to no namespace")]
    Namespace { kind: String },
    #[error("the annotations have {count} bytes, which is too many")]
    AnnotationsTooLarge { count: usize, maximum: usize },
}

impl ResourceMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::UnknownKind { known, .. } => format!("the known kinds are {}", listed(known)),
            Self::NoSchema { known, .. } if known.is_empty() => return None,
            Self::NoSchema { known, .. } => format!("it has those of {}", listed(known)),
            Self::Secret => "name the secret under `[secrets]`: each server makes it itself".to_owned(),
            Self::UnknownKey { nearest: Some(key), .. } => format!("did you mean `{key}`?"),
            Self::UnknownKey { known, .. } if known.is_empty() => "no key is allowed here".to_owned(),
            Self::UnknownKey { known, .. } if known.len() > LISTED => {
                format!("none of the {} allowed keys has a similar name", known.len())
            }
            Self::UnknownKey { known, .. } => format!("the known keys are {}", listed(known)),
            Self::MissingKey { key } => format!("add `{key}`"),
            Self::NotAChoice { nearest: Some(choice), .. } => format!("did you mean {choice}?"),
            Self::NotAChoice { choices, .. } => format!("write one of {}", joined(choices)),
            Self::TooSmall { minimum, .. } => format!("write {minimum} or more"),
            Self::TooLarge { maximum, .. } => format!("write {maximum} or less"),
            Self::TooFew { minimum, unit, .. } => format!("write {minimum} {unit} or more"),
            Self::TooMany { maximum, unit, .. } => format!("write {maximum} {unit} or fewer"),
            Self::Duplicate { .. } => "remove one of them, or make them differ".to_owned(),
            // The message says the same; a long rule adds nothing for a reader.
            Self::Rule { rule, .. } if rule.len() <= SHOWN_RULE => format!("the rule is `{rule}`"),
            Self::ChartRule { instead, .. } => instead.clone(),
            Self::Namespace { .. } => "remove `namespace`".to_owned(),
            Self::AnnotationsTooLarge { maximum, .. } => format!("the limit is {maximum} bytes"),
            Self::WrongType { .. }
            | Self::Pattern { .. }
            | Self::Format { .. }
            | Self::NoAlternative { .. }
            | Self::SeveralAlternatives { .. }
            | Self::NotAllowed { .. }
            | Self::Rule { .. } => return None,
        };
        Some(instead)
    }
}

/// The most words that a hint lists. A chart of Cilium has about 190.
const LISTED: usize = 30;

fn listed(words: &[String]) -> String {
    joined(&words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>())
}

/// Lists words, at most [`LISTED`] of them.
fn joined(words: &[String]) -> String {
    let shown = words.get(..LISTED).unwrap_or(words).join(", ");
    match words.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Characters of a value that a message shows.
const SHOWN: usize = 60;

/// Characters of a rule or a pattern that a message shows.
const SHOWN_RULE: usize = 100;

/// Returns a value as a message shows it: JSON in backticks, shortened.
pub(super) fn shown(value: &Value) -> String {
    cut(&value.to_string(), SHOWN)
}

fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}
