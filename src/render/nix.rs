//! Writes text in the Nix language.
//!
//! Source: the Nix manual, "String literal" and "Identifiers"; the lexer's rules for `STRING` and `ID`
//! (NixOS/nix, src/libexpr/lexer.l).

use std::io::{self, Write};

use tera::{Context, Kwargs, State, Tera, Value};

use super::error::RenderError;

/// Escapes text for the inside of double quotes.
///
/// # Errors
/// A Nix string cannot contain a NUL byte.
pub fn escape(text: &str, output: &mut dyn Write) -> io::Result<()> {
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\0' => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a Nix string cannot hold a NUL byte",
                ));
            }
            '"' | '\\' => write!(output, "\\{character}")?,
            '$' if rest.peek() == Some(&'{') => output.write_all(b"\\$")?,
            '\n' => output.write_all(b"\\n")?,
            // Nix reads a bare carriage return as a line feed.
            '\r' => output.write_all(b"\\r")?,
            '\t' => output.write_all(b"\\t")?,
            _ => write!(output, "{character}")?,
        }
    }
    Ok(())
}

/// Returns the text as a Nix string, with its quotes.
///
/// # Errors
/// A Nix string cannot contain a NUL byte.
pub fn string(text: &str) -> io::Result<String> {
    let mut quoted = vec![b'"'];
    escape(text, &mut quoted)?;
    quoted.push(b'"');
    String::from_utf8(quoted).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

const KEYWORDS: [&str; 11] =
    ["assert", "else", "if", "in", "inherit", "let", "or", "rec", "then", "with", "__curPos"];

/// Returns the text as the name of an attribute: bare if it is an identifier, else quoted.
fn attribute(text: &str) -> io::Result<String> {
    let is_first = |character: char| character.is_ascii_alphabetic() || character == '_';
    let is_later = |character: char| character.is_ascii_alphanumeric() || "_'-".contains(character);
    let is_identifier = text.starts_with(is_first) && text.chars().all(is_later) && !KEYWORDS.contains(&text);
    if is_identifier { Ok(text.to_owned()) } else { string(text) }
}

/// Returns a list of strings as nixfmt writes it: up to one item on one line, else one line for each item.
fn list(items: &[Value], indent: usize) -> Result<String, tera::Error> {
    let items: Vec<String> = items
        .iter()
        .map(|item| string(item.as_str().unwrap_or_default()))
        .collect::<io::Result<_>>()
        .map_err(tera::Error::message)?;
    Ok(match items.as_slice() {
        [] => "[ ]".to_owned(),
        [only] => format!("[ {only} ]"),
        _ => {
            let margin = " ".repeat(indent);
            let lines: String = items.iter().flat_map(|item| [margin.as_str(), "  ", item, "\n"]).collect();
            format!("[\n{lines}{margin}]")
        }
    })
}

/// Returns JSON as an expression. `nixfmt` lays it out.
fn expression(value: &serde_json::Value) -> io::Result<String> {
    use serde_json::Value as Json;
    Ok(match value {
        Json::Null => "null".to_owned(),
        Json::Bool(on) => on.to_string(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => string(text)?,
        // A negative number would be subtracted from the item before it.
        Json::Array(items) => {
            let items: Vec<_> = items
                .iter()
                .map(|item| match item {
                    Json::Number(number) => Ok(format!("({number})")),
                    _ => expression(item),
                })
                .collect::<io::Result<_>>()?;
            format!("[ {} ]", items.join(" "))
        }
        Json::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .map(|(key, value)| Ok(format!("{} = {};", attribute(key)?, expression(value)?)))
                .collect::<io::Result<_>>()?;
            format!("{{ {} }}", members.join(" "))
        }
    })
}

/// Returns templates of Nix files. Values are escaped for the inside of a string; the filters `attribute`, `list` and
/// `expression` write names, lists of strings and JSON.
pub(super) fn templates(bodies: &[(&str, &str)]) -> Result<Tera, tera::Error> {
    let mut tera = Tera::new();
    tera.autoescape_on([".nix"]);
    tera.set_escape_fn(escape);
    tera.register_filter("attribute", |text: &str, _: Kwargs, _: &State<'_>| {
        attribute(text).map(|name| Value::safe_string(&name)).map_err(tera::Error::message)
    });
    tera.register_filter("list", |items: &[Value], arguments: Kwargs, _: &State<'_>| {
        let indent = arguments.must_get::<usize>("indent")?;
        list(items, indent).map(|list| Value::safe_string(&list))
    });
    tera.register_filter("expression", |text: &str, _: Kwargs, _: &State<'_>| {
        let value = serde_json::from_str(text).map_err(tera::Error::message)?;
        expression(&value).map(|text| Value::safe_string(&text)).map_err(tera::Error::message)
    });
    tera.add_raw_templates(bodies.iter().copied())?;
    Ok(tera)
}

/// Renders a template and formats the result as nixfmt does, so that `nix fmt` changes nothing in it.
pub(super) fn render(tera: &Tera, template: &str, context: &Context) -> Result<String, RenderError> {
    Ok(nixfmt_rs::format(&tera.render(template, context)?)?)
}
