//! What the log says about deliveries: every change, but never a flood of lines.

use super::{Deliveries, SinkState};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// A sink that changes its state all the time gets at most `MOST_LINES` lines in each `WINDOW`.
const WINDOW: Duration = Duration::from_mins(1);
const MOST_LINES: usize = 6;

/// So long no row must be dropped before the log says that dropping has ended.
const CALM: Duration = Duration::from_secs(10);

/// Logs the changes of a sink's state.
#[derive(Debug, Default)]
pub(super) struct SinkLog {
    /// The state that the log last mentioned.
    logged: SinkState,
    lines: VecDeque<Instant>,
    /// Changes since the last line that were not logged.
    skipped: u64,
    current: SinkState,
    /// The counts when rows were last delivered without trouble.
    before: Deliveries,
}

impl SinkLog {
    /// Notes the outcome of a push, and returns the line to log, if any. `reason` is what the sink answered.
    pub(super) fn note(&mut self, now: Instant, counts: &Deliveries, reason: &str) -> Option<String> {
        let state = counts.state;
        let changed = self.current != state;
        if changed && self.current == SinkState::Delivering {
            self.before = *counts;
        }
        self.current = state;
        if self.logged == state {
            self.skipped += u64::from(changed);
            return None;
        }
        while self.lines.front().is_some_and(|line| now.duration_since(*line) >= WINDOW) {
            self.lines.pop_front();
        }
        if self.lines.len() >= MOST_LINES {
            self.skipped += u64::from(changed);
            return None;
        }
        self.lines.push_back(now);
        let mut line = match state {
            SinkState::Starting => return None,
            SinkState::Delivering if self.logged == SinkState::Starting => "delivering rows".to_owned(),
            SinkState::Delivering => {
                let (dropped, refused) =
                    (counts.dropped - self.before.dropped, counts.refused - self.before.refused);
                format!("delivering rows again; meanwhile {dropped} were dropped and {refused} refused")
            }
            SinkState::Refusing => format!("{reason}; refused rows are dropped"),
            SinkState::Unavailable | SinkState::Unauthorised => {
                format!("{reason}; rows wait, and the oldest are dropped when the buffer is full")
            }
        };
        if self.skipped > 0 {
            let _ = write!(line, " ({} changes since the last line were not logged)", self.skipped);
        } else if self.lines.len() == MOST_LINES {
            line.push_str(" (changes are too frequent: the next ones are logged after a minute)");
        }
        self.skipped = 0;
        self.logged = state;
        Some(line)
    }
}

/// Logs when a full buffer begins to drop rows, and when that has ended.
#[derive(Debug, Default)]
pub struct DropLog {
    total: u64,
    /// The total before the first drop, and the time of the last one.
    dropping: Option<(u64, Instant)>,
}

impl DropLog {
    /// Notes how many rows have been dropped since the start, and returns the line to log, if any.
    pub fn note(&mut self, now: Instant, total: u64) -> Option<String> {
        let before = std::mem::replace(&mut self.total, total);
        match &mut self.dropping {
            Some((_, last)) if total > before => *last = now,
            Some((_, last)) if now.duration_since(*last) >= CALM => return self.end(),
            None if total > before => {
                self.dropping = Some((before, now));
                return Some("the buffer is full: the oldest rows are dropped".to_owned());
            }
            _ => {}
        }
        None
    }

    /// Returns the line that says how many rows were dropped, if any were since the last such line.
    pub fn end(&mut self) -> Option<String> {
        let (before, _) = self.dropping.take()?;
        Some(format!("{} rows were dropped because the buffer was full", self.total - before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(state: SinkState, dropped: u64, refused: u64) -> Deliveries {
        Deliveries { state, dropped, refused, ..Deliveries::default() }
    }

    #[test]
    fn each_change_is_one_line_with_the_rows_that_it_cost() {
        let (mut log, now) = (SinkLog::default(), Instant::now());
        let mut note = |state, dropped, refused| log.note(now, &counts(state, dropped, refused), "503");
        assert_eq!(note(SinkState::Delivering, 0, 0).unwrap(), "delivering rows");
        assert_eq!(note(SinkState::Delivering, 0, 0), None);
        assert!(note(SinkState::Unavailable, 1, 0).unwrap().starts_with("503; rows wait"));
        assert_eq!(note(SinkState::Unavailable, 5, 0), None);
        assert!(note(SinkState::Refusing, 6, 1).unwrap().starts_with("503; refused rows are dropped"));
        assert_eq!(
            note(SinkState::Delivering, 9, 3).unwrap(),
            "delivering rows again; meanwhile 8 were dropped and 3 refused"
        );
    }

    #[test]
    fn a_sink_that_alternates_gets_six_lines_a_minute() {
        let (mut log, start) = (SinkLog::default(), Instant::now());
        let mut lines = Vec::new();
        for at in 0..1200 {
            let state = if at % 2 == 0 { SinkState::Delivering } else { SinkState::Unavailable };
            let now = start + Duration::from_millis(500 * at);
            lines.extend(log.note(now, &counts(state, 0, 0), "503").map(|line| (at / 120, line)));
        }
        for minute in 0..10 {
            assert_eq!(lines.iter().filter(|(at, _)| *at == minute).count(), MOST_LINES, "{lines:#?}");
        }
        assert!(lines[5].1.ends_with("the next ones are logged after a minute)"), "{lines:#?}");
        assert!(lines[6].1.ends_with("changes since the last line were not logged)"), "{lines:#?}");
    }

    /// The last line must not stay wrong: the state is logged when lines are allowed again.
    #[test]
    fn the_state_is_logged_even_if_its_change_was_not() {
        let (mut log, start) = (SinkLog::default(), Instant::now());
        for at in 0..10 {
            let state = if at % 2 == 0 { SinkState::Unavailable } else { SinkState::Delivering };
            log.note(start, &counts(state, 0, 0), "503");
        }
        assert_eq!(log.note(start, &counts(SinkState::Unavailable, 0, 0), "503"), None);
        let later = log.note(start + WINDOW, &counts(SinkState::Unavailable, 0, 0), "503").unwrap();
        assert!(later.starts_with("503; rows wait"), "{later}");
    }

    #[test]
    fn dropping_is_logged_at_its_start_and_at_its_end() {
        let (mut log, start) = (DropLog::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(log.note(at(0), 0), None);
        assert!(log.note(at(1), 5).unwrap().starts_with("the buffer is full"));
        assert_eq!(log.note(at(2), 50), None);
        assert_eq!(log.note(at(11), 50), None);
        assert_eq!(log.note(at(12), 50).unwrap(), "50 rows were dropped because the buffer was full");
        assert_eq!(log.end(), None);
        assert!(log.note(at(13), 51).is_some());
        assert_eq!(log.end().unwrap(), "1 rows were dropped because the buffer was full");
    }
}
