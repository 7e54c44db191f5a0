//! Writes text in XML.
//!
//! Source: XML 1.0 (fifth edition), sections 2.2 and 2.4.

use std::io::{self, Write};

use tera::Tera;

/// Escapes text for the space between tags and for attributes.
///
/// # Errors
/// XML does not allow some control characters at all.
pub fn escape(text: &str, output: &mut dyn Write) -> io::Result<()> {
    for character in text.chars() {
        match character {
            '&' => output.write_all(b"&amp;")?,
            '<' => output.write_all(b"&lt;")?,
            '>' => output.write_all(b"&gt;")?,
            '"' => output.write_all(b"&quot;")?,
            '\'' => output.write_all(b"&apos;")?,
            // Unescaped, they become blanks in attributes.
            '\t' | '\n' | '\r' => write!(output, "&#{};", u32::from(character))?,
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("`{}` is not allowed in XML", character.escape_debug()),
                ));
            }
            _ => write!(output, "{character}")?,
        }
    }
    Ok(())
}

/// Returns templates of SVG files. Values are escaped.
pub(super) fn templates(bodies: &[(&str, &str)]) -> Result<Tera, tera::Error> {
    let mut tera = Tera::new();
    tera.autoescape_on([".svg"]);
    tera.set_escape_fn(escape);
    tera.add_raw_templates(bodies.iter().copied())?;
    Ok(tera)
}
