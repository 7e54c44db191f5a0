use std::fmt::{Display, Write};

/// What an error lists, each on an indented line of its own below it.
pub(super) fn lines<T: Display>(what: &[T]) -> String {
    what.iter().fold(String::new(), |mut text, line| {
        let _ = write!(text, "\n  {line}");
        text
    })
}
