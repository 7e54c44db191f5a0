//! The problems of a run, as data.

use std::error::Error;

use super::redact::redact;
use crate::config::source::Span;

/// A kind of mistake. Its `Display` says what is wrong; [`Mistake::hint`] says what to write instead.
pub trait Mistake: Error + Send + Sync {
    fn hint(&self) -> Option<String>;

    /// Whether the hint is made of known names alone: it is then printed though [`redact`] might take one for a secret.
    fn hint_is_public(&self) -> bool {
        false
    }

    /// Whether the marked text may be a secret that [`redact`] cannot tell by its looks; it is then not printed.
    fn marks_secret(&self) -> bool {
        false
    }
}

impl dyn Mistake {
    /// The hint as it may be printed.
    pub(super) fn shown_hint(&self) -> Option<String> {
        let hint = self.hint()?;
        Some(if self.hint_is_public() { hint } else { redact(&hint).into_owned() })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Error,
    /// Worth knowing, and no reason to stop.
    Warning,
}

/// A second place that has to do with a problem, such as the first of two equal names.
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

/// Every problem of a run: the user sees all of them, not the first.
#[derive(Debug, Default)]
pub struct Problems {
    list: Vec<Problem>,
}

/// A part that may be left out could not be resolved. The reason has been noted.
pub(crate) struct Unresolved;

impl Problems {
    pub fn error(&mut self, span: Span, mistake: impl Mistake + 'static) {
        self.push(Severity::Error, span, Box::new(mistake), None);
    }

    pub fn warning(&mut self, span: Span, mistake: impl Mistake + 'static) {
        self.push(Severity::Warning, span, Box::new(mistake), None);
    }

    /// A value that collides with an earlier one, at `first`.
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

    /// The value of a result whose error is a mistake made at `span`.
    pub fn take<T, M: Mistake + 'static>(&mut self, span: Span, result: Result<T, M>) -> Option<T> {
        result.map_err(|mistake| self.error(span, mistake)).ok()
    }

    /// Takes up those of a later stage.
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
