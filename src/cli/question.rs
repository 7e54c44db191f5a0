//! Questions on the terminal that are answered with yes or no.

use std::io::{self, IsTerminal};

use super::output::say_text;

/// Asks, and waits for a line. `None` if standard input is not a terminal, or has ended.
pub(super) fn yes_or_no(question: &str) -> Option<bool> {
    let input = io::stdin();
    if !input.is_terminal() {
        return None;
    }
    say_text(&format!("{question} [y/N] "));
    let mut answer = String::new();
    input.read_line(&mut answer).ok()?;
    Some(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}
