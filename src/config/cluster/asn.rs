//! Autonomous system numbers.

use thiserror::Error;

use crate::config::diagnostics::{Mistake, Problems};
use crate::config::written::Integer;

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
