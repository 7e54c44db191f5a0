//! Durations on the command line: `90s`, `5m`, `1h 30m`, or a plain number of seconds.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Returns a parser of durations within a range of seconds.
pub(super) fn duration(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<Duration, String> + Clone {
    move |text| {
        let duration = match text.parse() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => humantime::parse_duration(text).map_err(|_| {
                "not a duration: write a number with its unit, such as `90s` or `5m`".to_owned()
            })?,
        };
        let (least, most) = (Duration::from_secs(*range.start()), Duration::from_secs(*range.end()));
        if (least..=most).contains(&duration) {
            Ok(duration)
        } else {
            let words = humantime::format_duration;
            Err(format!("not between {} and {}", words(least), words(most)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_or_are_seconds() {
        let parse = duration(1..=600);
        assert_eq!(parse("10"), Ok(Duration::from_secs(10)));
        assert_eq!(parse("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse("1500ms"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse("0"), Err("not between 1s and 10m".to_owned()));
        assert_eq!(parse("1h"), Err("not between 1s and 10m".to_owned()));
        assert!(parse("soon").is_err_and(|error| error.contains("write a number with its unit")));
    }
}
