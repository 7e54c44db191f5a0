//! The words of a filter expression.

use std::fmt;
use std::ops::Range;

/// Why an expression is refused, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    text: String,
    /// Bytes of the text.
    place: Range<usize>,
    message: String,
    hint: &'static str,
}

impl std::error::Error for FilterError {}

impl FilterError {
    pub(super) fn new(
        text: &str,
        place: Range<usize>,
        message: impl Into<String>,
        hint: &'static str,
    ) -> Self {
        Self { text: text.to_owned(), place, message: message.into(), hint }
    }
}

impl fmt::Display for FilterError {
    /// Shows the text with a mark under the place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |range: Range<usize>| self.text.get(range).map_or(0, |part| part.chars().count());
        let before = width(0..self.place.start);
        write!(f, "filter, column {}: {}", before + 1, self.message)?;
        // A control character would spoil the line, or the terminal.
        let shown: String =
            self.text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
        let marks = "^".repeat(width(self.place.clone()).max(1));
        write!(f, "\n  {shown}\n  {:before$}{marks}", "")?;
        if self.hint.is_empty() { Ok(()) } else { write!(f, "\nhint: {}", self.hint) }
    }
}

/// A word or an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) place: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Word(String),
    And,
    Or,
    Not,
    Open,
    Close,
}

/// Splits an expression into its tokens.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some((start, char)) = rest.next() {
        let follows = |expected| text.get(start + 1..).is_some_and(|rest| rest.starts_with(expected));
        let (kind, length) = match char {
            _ if char.is_whitespace() => continue,
            '(' => (Kind::Open, 1),
            ')' => (Kind::Close, 1),
            '!' if !follows('=') => (Kind::Not, 1),
            '&' if follows('&') => (Kind::And, 2),
            '|' if follows('|') => (Kind::Or, 2),
            _ => {
                let ends = |char: char| char.is_whitespace() || matches!(char, '(' | ')' | '&' | '|');
                let word = text.get(start..).unwrap_or_default();
                let end = word
                    .char_indices()
                    .skip(1)
                    .find_map(|(at, char)| ends(char).then_some(at))
                    .unwrap_or(word.len());
                let word = word.get(..end).unwrap_or_default();
                let kind = match word {
                    "and" => Kind::And,
                    "or" => Kind::Or,
                    "not" => Kind::Not,
                    _ => Kind::Word(word.to_owned()),
                };
                (kind, end)
            }
        };
        let place = start..start + length;
        while rest.next_if(|(at, _)| *at < place.end).is_some() {}
        tokens.push(Token { kind, place });
    }
    tokens
}
