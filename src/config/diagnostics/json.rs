//! Problems as JSON, for scripts and editors.

use serde::Serialize;

use super::problem::{Problem, Problems, Severity};
use crate::config::source::{Source, Span};

#[derive(Serialize)]
struct Entry {
    file: String,
    /// From 1.
    line: usize,
    /// In characters, from 1.
    column: usize,
    severity: &'static str,
    message: String,
    hint: Option<String>,
    /// A second place that is related to the problem.
    related: Option<Location>,
}

#[derive(Serialize)]
struct Location {
    line: usize,
    column: usize,
    label: &'static str,
}

/// Returns the problems as a list, in the order of the text.
#[must_use]
pub fn json(source: &Source, problems: &Problems) -> serde_json::Value {
    let entries: Vec<_> = problems.in_order().into_iter().map(|problem| entry(source, problem)).collect();
    serde_json::json!(entries)
}

fn entry(source: &Source, problem: &Problem) -> Entry {
    let (line, column) = position(&source.text, problem.span);
    Entry {
        file: source.name.clone(),
        line,
        column,
        severity: match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        message: problem.mistake.shown(),
        hint: problem.mistake.shown_hint(),
        related: problem.related.map(|related| {
            let (line, column) = position(&source.text, related.span);
            Location { line, column, label: related.label }
        }),
    }
}

fn position(text: &str, span: Span) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(span.start.min(text.len()))];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
