//! Writes the configuration commands of `VyOS`.

use std::io::{self, Write};

use tera::Tera;

use super::template::{escaped_templates, write_plain};

/// A shell reads the commands, so only characters without a meaning to it are allowed.
pub(super) fn escape(text: &str, output: &mut dyn Write) -> io::Result<()> {
    write_plain(text, output, "VyOS", |character| {
        character.is_ascii_alphanumeric() || ".-_:/@+".contains(character)
    })
}

pub(super) fn templates() -> Result<Tera, tera::Error> {
    escaped_templates(
        include_str!("vyos/apply.vyos.tera"),
        Some(include_str!("vyos/remove.vyos.tera")),
        escape,
    )
}
