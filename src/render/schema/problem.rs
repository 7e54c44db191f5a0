//! What is wrong with an object or with Helm values, as data.

use serde_json::Value;
use thiserror::Error;

use crate::config::diagnostics::Mistake;

/// Something that would be refused, or dropped without a word.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{}{mistake}", place(.path))]
pub struct ResourceProblem {
    /// As `kubectl` writes it, such as `spec.peers[0].name`; empty for the whole object.
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
    #[error("no kind `{kind}` of `{api_version}` is known here")]
    UnknownKind {
        api_version: String,
        kind: String,
        /// Version and kind, of those that are near, or of all.
        known: Vec<String>,
    },
    #[error("there is no schema of {what}")]
    NoSchema { what: String, known: Vec<String> },
    #[error("a Secret is never written to a file")]
    Secret,
    #[error("there is no key `{key}`")]
    UnknownKey { key: String, nearest: Option<String>, known: Vec<String> },
    #[error("the key `{key}` is missing")]
    MissingKey { key: String },
    #[error("{found} is not {expected}")]
    WrongType { found: String, expected: String },
    #[error("{found} is not one of the choices")]
    NotAChoice { found: String, nearest: Option<String>, choices: Vec<String> },
    #[error("{found} does not match {}", cut(.pattern, SHOWN_RULE))]
    Pattern { found: String, pattern: String },
    #[error("{found} is not {expected}")]
    Format { found: String, expected: &'static str },
    #[error("{found} is less than {minimum}")]
    TooSmall { found: String, minimum: f64 },
    #[error("{found} is more than {maximum}")]
    TooLarge { found: String, maximum: f64 },
    #[error("{count} {unit} are too few")]
    TooFew { count: usize, minimum: usize, unit: &'static str },
    #[error("{count} {unit} are too many")]
    TooMany { count: usize, maximum: usize, unit: &'static str },
    #[error("it is the same as item {first}")]
    Duplicate { first: usize, keys: Vec<String> },
    #[error("{found} matches {count} of the alternatives, not {expected}")]
    Alternatives { found: String, count: usize, expected: &'static str },
    #[error("{found} is what may not stand here")]
    Excluded { found: String },
    #[error("{message}")]
    Rule { rule: String, message: String },
    #[error("{message}")]
    ChartRule { message: &'static str, instead: &'static str },
    #[error("{found} is not a name of this kind")]
    Name { found: String, expected: &'static str },
    #[error("a {kind} belongs to no namespace")]
    Namespace { kind: String },
    #[error("{count} bytes of annotations are too many")]
    AnnotationsTooLarge { count: usize, maximum: usize },
}

impl ResourceMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::UnknownKind { known, .. } => format!("the kinds that are known are {}", listed(known)),
            Self::NoSchema { known, .. } => format!("there is one of {}", listed(known)),
            Self::Secret => "name it under `[secrets]`: it is made on the node".to_owned(),
            Self::UnknownKey { nearest: Some(key), .. } => format!("did you mean `{key}`?"),
            Self::UnknownKey { known, .. } if known.is_empty() => "nothing may stand here".to_owned(),
            Self::UnknownKey { known, .. } => format!("its keys are {}", listed(known)),
            Self::MissingKey { key } => format!("add `{key}`"),
            Self::NotAChoice { nearest: Some(choice), .. } => format!("did you mean {choice}?"),
            Self::NotAChoice { choices, .. } => format!("write one of {}", choices.join(", ")),
            Self::TooSmall { minimum, .. } => format!("write {minimum} or more"),
            Self::TooLarge { maximum, .. } => format!("write {maximum} or less"),
            Self::TooFew { minimum, unit, .. } => format!("write {minimum} {unit} or more"),
            Self::TooMany { maximum, unit, .. } => format!("write {maximum} {unit} or fewer"),
            Self::Duplicate { keys, .. } if keys.is_empty() => "leave one of them out".to_owned(),
            Self::Duplicate { keys, .. } => format!("items must differ in {}", listed(keys)),
            // What it says is the message; a long rule says no more to a reader.
            Self::Rule { rule, .. } if rule.len() <= SHOWN_RULE => format!("the rule is `{rule}`"),
            Self::ChartRule { instead, .. } => (*instead).to_owned(),
            Self::Name { expected, .. } => format!("write {expected}"),
            Self::Namespace { .. } => "leave `namespace` out".to_owned(),
            Self::AnnotationsTooLarge { maximum, .. } => format!("{maximum} bytes are the limit"),
            Self::WrongType { .. }
            | Self::Pattern { .. }
            | Self::Format { .. }
            | Self::Alternatives { .. }
            | Self::Excluded { .. }
            | Self::Rule { .. } => return None,
        };
        Some(instead)
    }
}

fn listed(words: &[String]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Characters of a value that a message shows.
const SHOWN: usize = 60;

/// Characters of a rule or a pattern that a message shows.
const SHOWN_RULE: usize = 100;

/// A value as a message shows it: JSON in backticks, cut short.
pub(super) fn shown(value: &Value) -> String {
    cut(&value.to_string(), SHOWN)
}

fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

/// The word that was probably meant, whatever its case: one that differs in a few letters, or one that has all the
/// letters in the same order, as `clusterPoolIPv4PodCIDRList` has those of `clusterPoolCIDR`.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let folded = word.to_lowercase();
    let candidates: Vec<_> = known.map(|candidate| (candidate.to_lowercase(), candidate)).collect();
    let similar = candidates
        .iter()
        .map(|(lower, candidate)| (strsim::damerau_levenshtein(&folded, lower), *candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min_by_key(|(distance, _)| *distance);
    let longer = || {
        let longer = candidates.iter().filter(|(lower, _)| folded.len() >= 4 && is_within(&folded, lower));
        longer.map(|(_, candidate)| (0, *candidate)).min_by_key(|(_, candidate)| candidate.len())
    };
    similar.or_else(longer).map(|(_, candidate)| candidate.to_owned())
}

/// Whether a text has all letters of a word in the same order.
fn is_within(word: &str, text: &str) -> bool {
    let mut letters = text.chars();
    word.chars().all(|letter| letters.any(|other| other == letter))
}
