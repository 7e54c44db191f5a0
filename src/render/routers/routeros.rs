//! Writes the scripting language of `RouterOS`.
//!
//! Source: manual.mikrotik.com, "Scripting", constant escape sequences.

use std::io::{self, Write};

use serde::Serialize;
use tera::Tera;

use super::template::escaped_templates;
use crate::config::platforms::MajorMinor;

/// The commands of a release.
///
/// Source: the command trees of `RouterOS` 7.9 to 7.24rc1 (tikoci/restraml, `docs/<version>/inspect.json`).
#[derive(Debug, Serialize)]
pub(super) struct Syntax {
    /// A connection has `afi`, before that `address-families`.
    has_afi: bool,
    /// A connection belongs to an instance.
    has_instance: bool,
    /// An instance has `multipath`.
    has_multipath: bool,
}

impl Syntax {
    pub(super) fn of(release: MajorMinor) -> Self {
        Self {
            has_afi: release >= (7, 19),
            has_instance: release >= (7, 20),
            has_multipath: release >= (7, 22),
        }
    }
}

/// Escapes text for the inside of double quotes. A text that is a bare word stays as it is.
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
