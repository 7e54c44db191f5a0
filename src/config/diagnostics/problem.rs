//! The problems of a run, as data.

use std::error::Error;

use super::redact::redact;
use crate::config::source::Span;

/// A kind of mistake. Its `Display` is the message; [`Mistake::hint`] is what to write instead.
pub trait Mistake: Error + Send + Sync {
    fn hint(&self) -> Option<String>;

    /// Returns whether the hint contains only public names. It is then printed even if [`redact`] would hide a part of it.
    fn hint_is_public(&self) -> bool {
        false
    }

    /// Returns whether the marked text may be a secret that [`redact`] does not recognize. It is then not printed.
    fn marks_secret(&self) -> bool {
        false
    }
}

impl dyn Mistake {
    /// Returns the message without secrets.
    pub(super) fn shown(&self) -> String {
        redact(&self.to_string()).into_owned()
    }

    /// Returns the hint without secrets.
    pub(super) fn shown_hint(&self) -> Option<String> {
        let hint = self.hint()?;
        Some(if self.hint_is_public() { hint } else { redact(&hint).into_owned() })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Error,
    /// A problem that does not stop the run.
    Warning,
}

/// A second place that is related to a problem, such as the first of two equal names.
#[derive(Debug, Clone, Copy)]
pub struct Related {
    pub span: Span,
    pub label: &'static str,
}

#[derive(Debug)]
pub struct Problem {
    pub severity: Severity,
    pub span: Span,
    pub mistake: Box<dyn Mistake>,
    pub related: Option<Related>,
}

/// All problems of a run.
#[derive(Debug, Default)]
pub struct Problems {
    list: Vec<Problem>,
}

/// The error of an optional part that could not be resolved. The problem has been noted.
pub(crate) struct Unresolved;

impl Problems {
    pub fn error(&mut self, span: Span, mistake: impl Mistake + 'static) {
        self.push(Severity::Error, span, Box::new(mistake), None);
    }

    pub fn warning(&mut self, span: Span, mistake: impl Mistake + 'static) {
        self.push(Severity::Warning, span, Box::new(mistake), None);
    }

    /// Notes a value that collides with an earlier one, at `first`.
    pub fn collision(
        &mut self,
        span: Span,
        mistake: impl Mistake + 'static,
        first: Span,
        label: &'static str,
    ) {
        let related = Related { span: first, label };
        self.push(Severity::Error, span, Box::new(mistake), Some(related));
    }

    /// Returns the value of a result, or notes its mistake at `span`.
    pub fn take<T, M: Mistake + 'static>(&mut self, span: Span, result: Result<T, M>) -> Option<T> {
        result.map_err(|mistake| self.error(span, mistake)).ok()
    }

    /// Adds the problems of a later stage.
    pub fn append(&mut self, later: Self) {
        self.list.extend(later.list);
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|problem| problem.severity == severity).count()
    }

    /// In the order of the text, so that they can be fixed from top to bottom.
    #[must_use]
    pub fn in_order(&self) -> Vec<&Problem> {
        let mut problems: Vec<_> = self.list.iter().collect();
        problems.sort_by_key(|problem| problem.span);
        problems
    }

    fn push(&mut self, severity: Severity, span: Span, mistake: Box<dyn Mistake>, related: Option<Related>) {
        self.list.push(Problem { severity, span, mistake, related });
    }
}
