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

/// Numbers that no autonomous system can have, with the RFC that reserves them.
const RESERVED: [(u32, &str); 4] = [
    (0, "RFC 7607"),
    (23_456, "RFC 6793: it stands for numbers above 65535"),
    (65_535, "RFC 7300"),
    (4_294_967_295, "RFC 7300"),
];

/// Numbers for documentation (RFC 5398). They work.
const DOCUMENTATION: [RangeInclusive<u32>; 2] = [64_496..=64_511, 65_536..=65_551];

#[derive(Debug, Error)]
enum AsnMistake {
    #[error("{number} is not an autonomous system number")]
    OutOfRange { number: i64 },
    #[error("the autonomous system number {asn} is reserved ({source_of})")]
    Reserved { asn: u32, source_of: &'static str },
    #[error("the autonomous system number {asn} is for documentation (RFC 5398)")]
    Documentation { asn: u32 },
}

impl Mistake for AsnMistake {
    fn hint(&self) -> Option<String> {
        Some("write a number from 64512 to 65534: these are for private use (RFC 6996)".to_owned())
    }
}

pub(super) fn asn(number: &Integer, problems: &mut Problems) -> Option<u32> {
    let Ok(asn) = u32::try_from(number.value) else {
        problems.error(number.span, AsnMistake::OutOfRange { number: number.value });
        return None;
    };
    if let Some((_, source_of)) = RESERVED.into_iter().find(|(reserved, _)| *reserved == asn) {
        problems.error(number.span, AsnMistake::Reserved { asn, source_of });
        return None;
    }
    if DOCUMENTATION.iter().any(|range| range.contains(&asn)) {
        problems.warning(number.span, AsnMistake::Documentation { asn });
    }
    Some(asn)
}
