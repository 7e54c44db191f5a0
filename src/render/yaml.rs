//! YAML: how text and trees are written in it, and how what was written is read back.
//!
//! Source: YAML 1.2.2, sections 5.7 (escapes) and 7.3.1 (double-quoted style). Kubernetes reads YAML 1.1, where more
//! words are booleans: text that either could take for something else is quoted.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Map, Value};
use tera::{Kwargs, State, Tera};

/// Escapes text for the inside of double quotes.
///
/// # Errors
/// Those of `output`.
pub fn escape(text: &str, output: &mut dyn Write) -> io::Result<()> {
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(output, "\\{character}")?,
            '\n' => output.write_all(b"\\n")?,
            '\r' => output.write_all(b"\\r")?,
            '\t' => output.write_all(b"\\t")?,
            // What a reader may refuse, fold or drop: controls, line separators, byte order marks, non-characters.
            '\0'..='\u{1f}' | '\u{7f}'..='\u{a0}' => write!(output, "\\x{:02x}", u32::from(character))?,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                write!(output, "\\u{:04x}", u32::from(character))?;
            }
            '\u{10000}'.. => write!(output, "\\U{:08x}", u32::from(character))?,
            _ => write!(output, "{character}")?,
        }
    }
    Ok(())
}

fn quoted(text: &str) -> String {
    let mut bytes = vec![b'"'];
    // A vector takes every byte, and all of them are UTF-8.
    let _ = escape(text, &mut bytes);
    bytes.push(b'"');
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Words that YAML 1.1 or 1.2 take for a boolean or nothing (YAML 1.1, "bool" and "null" types).
const WORDS: [&str; 12] =
    ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf", "infinity"];

/// Text as a scalar: bare where nobody could misread it, else in quotes.
fn scalar(text: &str) -> String {
    let is_bare = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte))
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if is_bare { text.to_owned() } else { quoted(text) }
}

/// Why a value is what it is: the keys that lead to it, and a comment to put above it.
pub type Comment<'a> = (&'a [&'a str], &'a str);

/// A tree in block style, each line indented by `indent` spaces, with comments above the values that have one. There is
/// no line end behind the last line.
#[must_use]
pub fn block(value: &Value, comments: &[Comment<'_>], indent: usize) -> String {
    let mut output = String::new();
    let mut writer = Writer { output: &mut output, comments, path: Vec::new() };
    match value {
        Value::Object(map) if !map.is_empty() => writer.map(map, indent, false),
        Value::Array(items) if !items.is_empty() => writer.list(items, indent),
        other => writer.leaf(other, &" ".repeat(indent)),
    }
    output.truncate(output.trim_end_matches('\n').len());
    output
}

struct Writer<'a> {
    output: &'a mut String,
    comments: &'a [Comment<'a>],
    path: Vec<String>,
}

impl Writer<'_> {
    /// `continues` says that the first key stands behind the dash of a list's item.
    fn map(&mut self, map: &Map<String, Value>, indent: usize, continues: bool) {
        for (position, (key, value)) in map.iter().enumerate() {
            self.path.push(key.clone());
            let margin = if continues && position == 0 { String::new() } else { " ".repeat(indent) };
            for (_, comment) in self.comments.iter().filter(|(path, _)| *path == self.path) {
                for line in comment.lines() {
                    let _ = writeln!(self.output, "{margin}# {line}");
                }
            }
            let _ = write!(self.output, "{margin}{}:", scalar(key));
            match value {
                Value::Object(below) if !below.is_empty() => {
                    self.output.push('\n');
                    self.map(below, indent + 2, false);
                }
                Value::Array(items) if !items.is_empty() => {
                    self.output.push('\n');
                    self.list(items, indent + 2);
                }
                other => self.leaf(other, " "),
            }
            self.path.pop();
        }
    }

    fn list(&mut self, items: &[Value], indent: usize) {
        let margin = " ".repeat(indent);
        for (position, item) in items.iter().enumerate() {
            self.path.push(position.to_string());
            match item {
                Value::Object(map) if !map.is_empty() => {
                    let _ = write!(self.output, "{margin}- ");
                    self.map(map, indent + 2, true);
                }
                Value::Array(below) if !below.is_empty() => {
                    let _ = writeln!(self.output, "{margin}-");
                    self.list(below, indent + 2);
                }
                other => self.leaf(other, &format!("{margin}- ")),
            }
            self.path.pop();
        }
    }

    fn leaf(&mut self, value: &Value, margin: &str) {
        let text = match value {
            Value::String(text) => scalar(text),
            Value::Null => "null".to_owned(),
            // Empty maps and lists, numbers and booleans are written as in JSON.
            other => other.to_string(),
        };
        let _ = writeln!(self.output, "{margin}{text}");
    }
}

/// Every document of a YAML text that is not empty, as JSON.
///
/// # Errors
/// What the parser says of text that is not YAML.
pub fn parse(text: &str) -> Result<Vec<Value>, serde_saphyr::Error> {
    serde_saphyr::from_multiple(text)
}

/// Templates of YAML files. What they print is escaped for the inside of double quotes.
pub(crate) fn templates(bodies: &[(&str, &str)]) -> Result<Tera, tera::Error> {
    let mut tera = Tera::new();
    tera.autoescape_on([".yaml"]);
    tera.set_escape_fn(escape);
    tera.register_filter("scalar", |text: &str, _: Kwargs, _: &State<'_>| {
        tera::Value::safe_string(&scalar(text))
    });
    tera.add_raw_templates(bodies.iter().copied())?;
    Ok(tera)
}
