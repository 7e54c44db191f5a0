//! The templates of a language, and text that needs no quotes in it.

use std::io::{self, Write};

use tera::Tera;

pub(super) const APPLY: &str = "apply";
pub(super) const REMOVE: &str = "remove";

/// Returns templates whose values go through a language's escaping function.
pub(super) fn escaped_templates(
    apply: &str,
    remove: Option<&str>,
    escape: fn(&str, &mut dyn Write) -> io::Result<()>,
) -> Result<Tera, tera::Error> {
    let mut tera = Tera::new();
    // Every name ends with the empty string, so all templates are escaped.
    tera.autoescape_on([""]);
    tera.set_escape_fn(escape);
    tera.add_raw_templates([(APPLY, apply)].into_iter().chain(remove.map(|body| (REMOVE, body))))?;
    Ok(tera)
}

/// Writes text in a language without quoting: refuses text with a character that has a meaning there.
pub(super) fn write_plain(
    text: &str,
    output: &mut dyn Write,
    language: &str,
    is_plain: fn(char) -> bool,
) -> io::Result<()> {
    match text.chars().find(|character| !is_plain(*character)) {
        None => output.write_all(text.as_bytes()),
        Some(character) => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("`{}` is not allowed in a word of {language}", character.escape_debug()),
        )),
    }
}
