//! Writes the language of FRR's shell.

use std::io::{self, Write};

use tera::Tera;

use super::template::{escaped_templates, write_plain};

/// FRR's shell splits lines into words at blanks and has no quoting.
pub(super) fn escape(text: &str, output: &mut dyn Write) -> io::Result<()> {
    write_plain(text, output, "FRR", |character| character.is_ascii_graphic() && !"!#?".contains(character))
}

pub(super) fn templates() -> Result<Tera, tera::Error> {
    escaped_templates(include_str!("frr/apply.frr.tera"), Some(include_str!("frr/remove.frr.tera")), escape)
}
