//! Questions on the terminal.

use std::fmt::Display;
use std::io::{self, IsTerminal};

use super::outcome::CommandError;
use super::output::{say, say_text};

/// Asks, and waits for a line. `None` if standard input is not a terminal, or has ended.
pub(super) fn yes_or_no(question: &str) -> Option<bool> {
    if !io::stdin().is_terminal() {
        return None;
    }
    let answer = line(&format!("{question} [y/N] "))?;
    Some(["y", "yes"].contains(&answer.to_lowercase().as_str()))
}

/// Prints a text and returns the next line, or `None` if standard input has ended.
fn line(text: &str) -> Option<String> {
    say_text(text);
    let mut answer = String::new();
    match io::stdin().read_line(&mut answer) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(answer.trim().to_owned()),
    }
}

/// A value that an option gives, or else an answer on the terminal.
pub(super) struct Question<'a, T> {
    /// The option that answers it, such as `--domain`.
    pub(super) option: &'static str,
    pub(super) text: &'a str,
    pub(super) parse: fn(&str) -> Result<T, String>,
}

/// Who answers what the command line leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answering {
    OnTerminal,
    /// Every proposal is taken.
    ByProposal,
}

impl Answering {
    /// Returns the given value, or else an answer. An empty answer takes the proposal, and a wrong one is asked for again.
    pub(super) fn answer<T>(
        self,
        question: &Question<'_, T>,
        given: Option<&str>,
        proposal: Option<impl Display>,
    ) -> anyhow::Result<T> {
        let option = question.option;
        let proposal = proposal.map(|proposal| proposal.to_string());
        let wrong = |mistake| CommandError::new(mistake, format!("write another value for `{option}`"));
        if let Some(text) = given {
            return Ok((question.parse)(text).map_err(wrong)?);
        }
        if self == Self::ByProposal {
            let Some(proposal) = proposal else {
                let missing = format!("this machine suggests nothing for `{option}`");
                return Err(CommandError::new(missing, format!("write `{option}` with its value")).into());
            };
            return Ok((question.parse)(&proposal).map_err(wrong)?);
        }
        let shown = proposal.as_ref().map(|proposal| format!(" [{proposal}]")).unwrap_or_default();
        loop {
            let Some(text) = line(&format!("{}{shown}: ", question.text)) else {
                return Err(CommandError::new(
                    "standard input has ended before the last answer",
                    "nothing was written: run the command again, or with `--yes`",
                )
                .into());
            };
            let text = if text.is_empty() { proposal.clone().unwrap_or_default() } else { text };
            match (question.parse)(&text) {
                Ok(answer) => return Ok(answer),
                Err(mistake) => say!("  {mistake}"),
            }
        }
    }
}
