//! The scripting language of `RouterOS`.
//!
//! Source: manual.mikrotik.com, "Scripting", constant escape sequences.

use std::io::{self, Write};

use tera::Tera;

use super::escaped_templates;

/// Writes text so that it stands for itself between double quotes, and as a bare word where it is one.
pub(super) fn escape(text: &str, output: &mut dyn Write) -> io::Result<()> {
    for character in text.chars() {
        match character {
            '"' | '\\' | '$' | '?' => write!(output, "\\{character}")?,
            ' '..='~' => write!(output, "{character}")?,
            _ => {
                let mut bytes = [0; 4];
                for byte in character.encode_utf8(&mut bytes).bytes() {
                    write!(output, "\\{byte:02X}")?;
                }
            }
        }
    }
    Ok(())
}

pub(super) fn templates() -> Result<Tera, tera::Error> {
    escaped_templates(
        include_str!("routeros/apply.rsc.tera"),
        Some(include_str!("routeros/remove.rsc.tera")),
        escape,
    )
}
