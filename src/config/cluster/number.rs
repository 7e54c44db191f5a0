//! Integers within bounds, and autonomous system numbers.

use std::ops::RangeInclusive;

use thiserror::Error;

use crate::config::diagnostics::{Mistake, Problems};
use crate::config::written::Integer;

#[derive(Debug, Error)]
#[error("{number} is not a valid {what}")]
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

/// Returns the number that is written, if it is within `range`, or `default` if none is written.
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

#[derive(Debug, Error)]
#[error("{number} is not an autonomous system number")]
struct AsnMistake {
    number: i64,
}

impl Mistake for AsnMistake {
    fn hint(&self) -> Option<String> {
        let instead = "write a number from 1 to 4294967295; 64512 to 65534 are for private use (RFC 6996)";
        Some(instead.to_owned())
    }
}

pub(super) fn asn(number: &Integer, problems: &mut Problems) -> Option<u32> {
    let asn = u32::try_from(number.value).ok().filter(|asn| *asn != 0);
    if asn.is_none() {
        problems.error(number.span, AsnMistake { number: number.value });
    }
    asn
}
