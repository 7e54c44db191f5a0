//! Writes BIRD's configuration language.

use std::io::{self, Write};

use tera::Tera;

use super::template::{escaped_templates, write_plain};

/// Names and strings of BIRD have no escape sequences (conf/cf-lex.l: `SYMBOL` in quotes, `STRING`).
pub(super) fn escape(text: &str, output: &mut dyn Write) -> io::Result<()> {
    write_plain(text, output, "BIRD", |character| {
        character.is_ascii_graphic() && !"'\"\\".contains(character)
    })
}

pub(super) fn templates() -> Result<Tera, tera::Error> {
    escaped_templates(include_str!("bird/apply.bird.tera"), None, escape)
}
