//! XML: how text is written in it.
//!
//! Source: XML 1.0 (fifth edition), sections 2.2 and 2.4.

use std::io::{self, Write};

use tera::Tera;

/// Writes text so that it stands for itself between tags and in attributes.
///
/// # Errors
/// What is no character of XML cannot stand in it.
pub fn escape(text: &str, output: &mut dyn Write) -> io::Result<()> {
    for character in text.chars() {
        match character {
            '&' => output.write_all(b"&amp;")?,
            '<' => output.write_all(b"&lt;")?,
            '>' => output.write_all(b"&gt;")?,
            '"' => output.write_all(b"&quot;")?,
            '\'' => output.write_all(b"&apos;")?,
            // As they are, attributes would turn them into blanks.
            '\t' | '\n' | '\r' => write!(output, "&#{};", u32::from(character))?,
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("`{}` cannot stand in XML", character.escape_debug()),
                ));
            }
            _ => write!(output, "{character}")?,
        }
    }
    Ok(())
}

/// Templates of SVG files. What they print is escaped.
pub(super) fn templates(bodies: &[(&str, &str)]) -> Result<Tera, tera::Error> {
    let mut tera = Tera::new();
    tera.autoescape_on([".svg"]);
    tera.set_escape_fn(escape);
    tera.add_raw_templates(bodies.iter().copied())?;
    Ok(tera)
}
