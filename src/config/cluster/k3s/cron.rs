//! Times in the notation of cron, as k3s reads them (robfig/cron v3, `ParseStandard`).

use std::ops::RangeInclusive;

use thiserror::Error;

use crate::config::diagnostics::Mistake;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum CronMistake {
    #[error("`{text}` has {count} fields instead of five")]
    Fields { text: String, count: usize },
    #[error("`{part}` is not a valid {field} in the notation of cron")]
    Part { part: String, field: &'static str, least: u32, most: u32 },
    #[error("`{text}` is not a time in the notation of cron")]
    Word { text: String },
}

impl Mistake for CronMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::Fields { .. } => {
                "write minute, hour, day of the month, month and day of the week, such as `0 */6 * * *`"
                    .to_owned()
            }
            Self::Part { least, most, .. } => {
                format!("write numbers from {least} to {most}, such as `{least}`, `*` or `*/2`")
            }
            Self::Word { .. } => {
                format!("write one of {}, or five fields such as `0 */6 * * *`", WORDS.join(", "))
            }
        };
        Some(instead)
    }
}

const WORDS: [&str; 7] = ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"];

struct Field {
    name: &'static str,
    range: RangeInclusive<u32>,
    /// Words for numbers, beginning with the least.
    words: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", range: 0..=59, words: &[] },
    Field { name: "hour", range: 0..=23, words: &[] },
    Field { name: "day of the month", range: 1..=31, words: &[] },
    Field {
        name: "month",
        range: 1..=12,
        words: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    },
    // Sunday is 0, never 7.
    Field {
        name: "day of the week",
        range: 0..=6,
        words: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

/// Returns the text with single spaces if it is a time.
pub(super) fn parse(text: &str) -> Result<String, CronMistake> {
    let text = text.trim();
    if text.starts_with('@') {
        let is_word = WORDS.contains(&text);
        return is_word.then(|| text.to_owned()).ok_or_else(|| CronMistake::Word { text: text.to_owned() });
    }
    let parts: Vec<&str> = text.split_ascii_whitespace().collect();
    if parts.len() != FIELDS.len() {
        return Err(CronMistake::Fields { text: text.to_owned(), count: parts.len() });
    }
    for (part, field) in parts.iter().zip(&FIELDS) {
        if !part.split(',').all(|item| field.takes(item)) {
            let (least, most) = (*field.range.start(), *field.range.end());
            return Err(CronMistake::Part { part: (*part).to_owned(), field: field.name, least, most });
        }
    }
    Ok(parts.join(" "))
}

impl Field {
    /// Returns whether the text is `*`, a number or a range, each with or without a step.
    fn takes(&self, text: &str) -> bool {
        let (range, step) = text.split_once('/').map_or((text, None), |(range, step)| (range, Some(step)));
        let has_step =
            step.is_none_or(|step| step.parse::<u32>().is_ok_and(|step| step > 0) && !step.starts_with('+'));
        let is_range = match range.split_once('-') {
            Some((first, last)) => {
                matches!((self.number(first), self.number(last)), (Some(first), Some(last)) if first <= last)
            }
            None => ["*", "?"].contains(&range) || self.number(range).is_some(),
        };
        has_step && is_range
    }

    fn number(&self, text: &str) -> Option<u32> {
        let of_word = || {
            let place = self.words.iter().position(|word| text.eq_ignore_ascii_case(word))?;
            Some(*self.range.start() + u32::try_from(place).ok()?)
        };
        let number = if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None };
        number.or_else(of_word).filter(|number| self.range.contains(number))
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn times_are_read_as_k3s_reads_them() {
        for text in [
            "0 */12 * * *",
            "*/5 0-6,12 1 jan-mar MON",
            "0  4 * * sun",
            "@daily",
            "? ? ? ? ?",
            "5/10 * * * *",
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 7",
            "6-2 * * * *",
            "*/0 * * * *",
            "1,, * * * *",
            "+1 * * * *",
            "@reboot",
            "@every 5m",
            "a * * * *",
            "* * * * mo",
            "TZ=UTC * * * *",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(parse(" 0   4 * *  sun ").as_deref(), Ok("0 4 * * sun"));
    }
}
