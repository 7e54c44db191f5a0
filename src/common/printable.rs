//! Text from outside, made safe for a terminal.
//!
//! Nodes, routers, board controllers, API servers and the programs that talk to them may print anything, escape
//! sequences included. Everything of theirs that is shown to the user goes through this module.

use std::borrow::Cow;
use std::fmt;

/// Characters of a [`Line`] that are kept. Error messages of real services are shorter; pages of a proxy are not.
const LINE_LIMIT: usize = 400;

/// One line of text that is safe to print: of bounded length, without control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line(String);

impl Line {
    /// Joins all lines of `text` into one and replaces what could steer a terminal.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut characters =
            text.split_whitespace().flat_map(|word| [" ", word]).flat_map(str::chars).skip(1);
        let mut kept: String = characters.by_ref().take(LINE_LIMIT).map(visible).collect();
        if characters.next().is_some() {
            kept.push('…');
        }
        Self(if kept.is_empty() { "(nothing)".to_owned() } else { kept })
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Returns one line of any length that is safe to print. For sentences of our own that quote somebody else.
#[must_use]
pub fn printable(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().map(visible).collect()
}

/// Returns `text` with its line breaks and tabs, and with everything else that could steer a terminal replaced.
#[must_use]
pub fn printable_lines(text: &str) -> String {
    let shown = |character| if matches!(character, '\n' | '\t') { character } else { visible(character) };
    text.replace("\r\n", "\n").chars().map(shown).collect()
}

/// Returns `text` as [`printable_lines`] does, with the escape sequences for colors and weights that rk1 writes itself. For
/// whatever is printed: text from outside that nobody has made printable before stays harmless.
#[must_use]
pub fn printable_styled(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (position, part) in text.split(ESCAPE).enumerate() {
        let style = if position == 0 { None } else { style_length(part) };
        let (style, rest) = part.split_at(style.unwrap_or(0));
        if position > 0 {
            shown.push_str(if style.is_empty() { "\u{fffd}" } else { ESCAPE });
        }
        shown.push_str(style);
        shown.push_str(&printable_lines(rest));
    }
    shown
}

const ESCAPE: &str = "\u{1b}";

/// Returns how many bytes of `text`, which follows an escape character, set a color or weight (ECMA-48, 8.3.117, `SGR`).
/// Nothing else is accepted, such as concealed or inverted characters.
fn style_length(text: &str) -> Option<usize> {
    let end = text.find('m')?;
    let parameters = text.get(..end)?.strip_prefix('[')?;
    let is_plain = |parameter: &str| {
        matches!(parameter, "" | "0" | "1" | "2" | "3" | "4" | "22" | "23" | "24" | "39")
            || matches!(parameter.parse(), Ok(30_u8..=37 | 90..=97))
    };
    parameters.split(';').all(is_plain).then_some(end + 1)
}

/// Returns `text` with the same number of bytes, line breaks and tabs as before, and with everything else that could steer a
/// terminal replaced. Positions in it stay right.
#[must_use]
pub fn printable_in_place(text: &str) -> Cow<'_, str> {
    let is_kept = |character| matches!(character, '\n' | '\r' | '\t') || visible(character) == character;
    if text.chars().all(is_kept) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character.len_utf8() {
            _ if is_kept(character) => shown.push(character),
            2 => shown.push('·'),
            3 => shown.push('\u{fffd}'),
            bytes => shown.extend(std::iter::repeat_n('?', bytes)),
        }
    }
    Cow::Owned(shown)
}

/// Replaces control characters, and the format characters that hide text or reverse its order (Unicode Technical Report
/// 36, "bidirectional text spoofing").
fn visible(character: char) -> char {
    let hides_text = matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    if character.is_control() || hides_text { '\u{fffd}' } else { character }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_do_not_reach_the_terminal() {
        let hostile = "a\u{1b}]0;title\u{7}\r\nb\u{9b}2J \u{202e}txt.exe";
        assert_eq!(Line::new(hostile).as_str(), "a\u{fffd}]0;title\u{fffd} b\u{fffd}2J \u{fffd}txt.exe");
        assert_eq!(printable(hostile), Line::new(hostile).as_str());
        assert_eq!(
            printable_lines("one\r\n\ttwo\rthree\u{1b}[31m\n"),
            "one\n\ttwo\u{fffd}three\u{fffd}[31m\n"
        );
    }

    #[test]
    fn only_colors_and_weights_are_kept() {
        let styled = "\u{1b}[1m\u{1b}[31merror\u{1b}[0m: \u{1b}[38;5;1mx\u{1b}[8mhidden\u{1b}]0;t\u{7}\u{1b}[2J\u{1b}[";
        assert_eq!(
            printable_styled(styled),
            "\u{1b}[1m\u{1b}[31merror\u{1b}[0m: \u{fffd}[38;5;1mx\u{fffd}[8mhidden\u{fffd}]0;t\u{fffd}\u{fffd}[2J\u{fffd}["
        );
        assert_eq!(printable_styled("a\tb\n"), "a\tb\n");
    }

    #[test]
    fn places_stay_where_they_are() {
        let hostile = "a\u{7}b\u{9b}c\u{202e}d\u{e0041}e\n";
        let shown = printable_in_place(hostile);
        assert_eq!(shown, "a?b·c\u{fffd}d????e\n");
        assert_eq!(shown.len(), hostile.len());
    }

    #[test]
    fn a_line_has_a_bounded_length() {
        let long = Line::new(&"word ".repeat(1000));
        assert_eq!(long.as_str().chars().count(), LINE_LIMIT + 1);
        assert!(long.as_str().ends_with('…'));
        assert_eq!(Line::new(&"x".repeat(LINE_LIMIT)).as_str(), "x".repeat(LINE_LIMIT));
        assert_eq!(Line::new(" \n ").as_str(), "(nothing)");
    }
}
