//! Text from outside, made safe for a terminal.
//!
//! Nodes, routers, board controllers, API servers and the programs that talk to them may print anything, escape
//! sequences included. Everything of theirs that is shown to the user goes through this module.

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
    fn a_line_has_a_bounded_length() {
        let long = Line::new(&"word ".repeat(1000));
        assert_eq!(long.as_str().chars().count(), LINE_LIMIT + 1);
        assert!(long.as_str().ends_with('…'));
        assert_eq!(Line::new(&"x".repeat(LINE_LIMIT)).as_str(), "x".repeat(LINE_LIMIT));
        assert_eq!(Line::new(" \n ").as_str(), "(nothing)");
    }
}
