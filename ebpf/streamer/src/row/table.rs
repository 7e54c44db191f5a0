//! Rows for people: the time of day (UTC) and one line of text.

use super::{Row, Text, UnixNanos};
use std::fmt::Write as _;

pub(super) fn append(row: &impl Row, out: &mut Vec<u8>) {
    let mut line = Text::<512>::new();
    let _ = row.describe(&mut line);
    out.extend_from_slice(clock(row.time()).as_str().as_bytes());
    out.extend_from_slice(b"  ");
    // A terminal obeys control characters, and the name of an interface may hold some.
    out.extend(line.as_str().chars().map(|c| if c.is_control() { '?' } else { c }).flat_map(|c| {
        let mut buffer = [0; 4];
        let length = c.encode_utf8(&mut buffer).len();
        buffer.into_iter().take(length)
    }));
    out.push(b'\n');
}

/// Returns the time of day in UTC: `12:34:56.789`.
pub(crate) fn clock(time: UnixNanos) -> Text<16> {
    let millis = time.div_euclid(1_000_000).rem_euclid(86_400_000);
    let mut text = Text::new();
    let _ = write!(
        text,
        "{:02}:{:02}:{:02}.{:03}",
        millis / 3_600_000,
        millis / 60_000 % 60,
        millis / 1000 % 60,
        millis % 1000
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_day_is_utc_with_milliseconds() {
        assert_eq!(clock(1_716_570_245_123_456_789).as_str(), "17:04:05.123");
    }
}
