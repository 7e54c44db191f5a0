//! Whole numbers within bounds.

use std::ops::RangeInclusive;

use thiserror::Error;

use crate::config::diagnostics::{Mistake, Problems};
use crate::config::written::Integer;

#[derive(Debug, Error)]
#[error("{number} is not a {what}")]
struct NumberMistake {
    what: &'static str,
    number: i64,
    least: i64,
    most: i64,
}

impl Mistake for NumberMistake {
    fn hint(&self) -> Option<String> {
        Some(format!("write a number from {} to {}", self.least, self.most))
    }
}

/// The number that was written, if it is within `range`; `default` where none was written.
pub(super) fn number_or<N: TryFrom<i64> + Into<i64> + Copy + PartialOrd>(
    default: N,
    written: Option<&Integer>,
    what: &'static str,
    range: &RangeInclusive<N>,
    problems: &mut Problems,
) -> Option<N> {
    let Some(written) = written else { return Some(default) };
    let number = N::try_from(written.value).ok().filter(|number| range.contains(number));
    if number.is_none() {
        let (least, most) = ((*range.start()).into(), (*range.end()).into());
        problems.error(written.span, NumberMistake { what, number: written.value, least, most });
    }
    number
}
