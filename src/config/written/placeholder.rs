//! Values that were copied from an example: they are syntactically correct and cannot work.

use thiserror::Error;
use toml::de::{DeTable, DeValue};

use crate::config::diagnostics::{Mistake, Problems};
use crate::config::dns_providers::PLACEHOLDERS;

/// Domains that belong to nobody (RFC 2606, sections 2 and 3).
const EXAMPLE_DOMAINS: [&str; 5] = ["example.com", "example.net", "example.org", "example", "invalid"];

/// Tables whose strings name nothing outside: comments of keys, and paths.
const SKIPPED: [&str; 2] = ["access", "secrets"];

#[derive(Debug, Error)]
enum PlaceholderMistake {
    #[error("`{name}` is an example: nobody has this domain")]
    Domain { name: String },
    #[error("`{text}` is a placeholder")]
    Identifier { text: String },
}

impl Mistake for PlaceholderMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::Domain { .. } => "write a name in a domain of your own",
            Self::Identifier { .. } => "write the identifier of your own account",
        };
        Some(instead.to_owned())
    }
}

/// Notes each string of the file that is a placeholder.
pub(super) fn note_placeholders(file: &DeTable<'_>, problems: &mut Problems) {
    for (key, value) in file {
        if !SKIPPED.contains(&key.get_ref().as_ref()) {
            note_value(value, problems);
        }
    }
}

fn note_value(value: &toml::Spanned<DeValue<'_>>, problems: &mut Problems) {
    match value.get_ref() {
        DeValue::String(text) => {
            if let Some(mistake) = mistake(text) {
                problems.warning(value.span().into(), mistake);
            }
        }
        DeValue::Array(items) => items.iter().for_each(|item| note_value(item, problems)),
        DeValue::Table(table) => table.values().for_each(|value| note_value(value, problems)),
        _ => {}
    }
}

fn mistake(text: &str) -> Option<PlaceholderMistake> {
    let is_zero_uuid = text.len() == 36 && text.bytes().all(|byte| byte == b'0' || byte == b'-');
    if is_zero_uuid || PLACEHOLDERS.contains(&text) {
        return Some(PlaceholderMistake::Identifier { text: text.to_owned() });
    }
    let is_part = |character: char| character.is_ascii_alphanumeric() || ".-_".contains(character);
    let mut words = text.split(|character| !is_part(character)).map(|word| word.trim_matches('.'));
    let name = words.find(|word| is_example_domain(word))?;
    Some(PlaceholderMistake::Domain { name: name.to_owned() })
}

/// Returns whether a name is one of the [`EXAMPLE_DOMAINS`] or below one of them. A single label is not a domain.
fn is_example_domain(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains('.')
        && EXAMPLE_DOMAINS.iter().any(|domain| {
            name.strip_suffix(domain).is_some_and(|front| front.is_empty() || front.ends_with('.'))
        })
}
