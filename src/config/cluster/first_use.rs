//! Finds the first use of a value that is used twice.

use std::collections::HashMap;
use std::hash::Hash;

use crate::config::source::Span;

/// The span of the first use of each value.
pub(super) struct FirstUse<T>(HashMap<T, Span>);

impl<T> Default for FirstUse<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Eq + Hash> FirstUse<T> {
    /// Records a use of `value`. Returns the span of the first use, if there was one before.
    pub(super) fn earlier(&mut self, value: T, span: Span) -> Option<Span> {
        let first = *self.0.entry(value).or_insert(span);
        (first != span).then_some(first)
    }
}
