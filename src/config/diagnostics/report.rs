//! Problems as text: file, line and column, the line itself, the message and the hint.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::problem::{Problem, Problems, Severity};
use super::redact::redact_source;
use crate::common::printable::{printable, printable_in_place};
use crate::config::source::{Source, Span};

/// Returns every problem, then a line with their numbers. The text has ANSI escapes, which the writer removes if needed.
#[must_use]
pub fn report(source: &Source, problems: &Problems) -> String {
    let renderer = Renderer::styled().decor_style(DecorStyle::Ascii);
    let shown = redact_source(&source.text);
    let shown = printable_in_place(&shown);
    let mut text = String::new();
    for problem in problems.in_order() {
        text.push_str(&renderer.render(&[group(&source.name, &shown, problem)]));
        text.push_str("\n\n");
    }
    text.push_str(&tally(&source.name, problems));
    text.push('\n');
    text
}

fn group<'a>(name: &'a str, text: &'a str, problem: &'a Problem) -> Group<'a> {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mark = visible(text, problem.span);
    let shown =
        if problem.mistake.marks_secret() { Cow::Owned(masked(text, &mark)) } else { Cow::Borrowed(text) };
    let mut snippet = Snippet::source(shown).path(name).annotation(AnnotationKind::Primary.span(mark));
    if let Some(related) = problem.related {
        let first = visible(text, related.span);
        snippet = snippet.annotation(AnnotationKind::Context.span(first).label(related.label));
    }
    let group = level.primary_title(printable(&problem.mistake.shown())).element(snippet);
    match problem.mistake.shown_hint() {
        Some(hint) => group.element(Level::HELP.with_name("hint").message(printable(&hint))),
        None => group,
    }
}

/// Returns the span within the text, in whole characters, up to the end of its first line: the span of a table would mark
/// the whole table.
fn visible(text: &str, span: Span) -> Range<usize> {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let end = text.ceil_char_boundary(span.end.clamp(start, text.len()));
    let first_line = text[start..end].find(['\n', '\r']).map_or(end, |length| start + length);
    start..first_line
}

/// Returns the text with the marked bytes replaced, since they may be a secret.
fn masked(text: &str, hidden: &Range<usize>) -> String {
    [&text[..hidden.start], &"*".repeat(hidden.len()), &text[hidden.end..]].concat()
}

fn tally(name: &str, problems: &Problems) -> String {
    let counted = |severity, word: &str| match problems.count(severity) {
        0 => None,
        1 => Some(format!("1 {word}")),
        count => Some(format!("{count} {word}s")),
    };
    let counts: Vec<_> = [counted(Severity::Error, "error"), counted(Severity::Warning, "warning")]
        .into_iter()
        .flatten()
        .collect();
    format!("{name}: {}", counts.join(", "))
}
