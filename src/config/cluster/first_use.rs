//! Finding the first of two equal values.

use std::collections::HashMap;
use std::hash::Hash;

use crate::config::source::Span;

/// Where each value was used first.
pub(super) struct FirstUse<T>(HashMap<T, Span>);

impl<T> Default for FirstUse<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Eq + Hash> FirstUse<T> {
    /// The place of an earlier use of `value`, if there was one.
    pub(super) fn earlier(&mut self, value: T, span: Span) -> Option<Span> {
        let first = *self.0.entry(value).or_insert(span);
        (first != span).then_some(first)
    }
}
