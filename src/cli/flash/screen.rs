//! What one sees: a bar on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{BinaryBytes, ProgressBar, ProgressStyle};

use crate::config::cluster::Label;
use crate::provision::flash::steps::Phase;

/// Time between two lines about the same thing.
const PAUSE: Duration = Duration::from_secs(10);
const BAR: &str = "{prefix}: {msg} [{bar:30}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
const WITHOUT_END: &str = "{prefix}: {msg} {spinner} {bytes}, {bytes_per_sec}";

/// Bytes for people.
pub(super) fn human(bytes: u64) -> String {
    BinaryBytes(bytes).to_string()
}

/// What is shown of one node.
#[derive(Debug)]
pub(super) struct Screen {
    name: String,
    /// Bytes of the image, once they are known.
    length: Option<u64>,
    current: Option<Current>,
}

/// Something that takes its time.
#[derive(Debug)]
struct Current {
    what: &'static str,
    /// Nothing where standard error is not a terminal.
    bar: Option<ProgressBar>,
    began: Instant,
    told: Instant,
    bytes: u64,
}

impl Screen {
    pub(super) fn new(name: &Label) -> Self {
        Self { name: name.as_str().to_owned(), length: None, current: None }
    }

    /// A line that stays.
    pub(super) fn line(&self, text: &str) {
        let print = || anstream::eprintln!("{}: {text}", self.name);
        match self.current.as_ref().and_then(|current| current.bar.as_ref()) {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// From now on phases of a flash of so many bytes are shown.
    pub(super) fn begin(&mut self, length: u64) {
        self.length = Some(length);
    }

    pub(super) fn begin_pass(&mut self, what: &'static str) {
        self.enter(what);
    }

    pub(super) fn passed(&mut self, bytes: u64) {
        self.advance(bytes);
    }

    pub(super) fn end(&mut self) {
        if let Some(Current { bar: Some(bar), .. }) = self.current.take() {
            bar.finish_and_clear();
        }
    }

    pub(super) fn show(&mut self, phase: Phase) {
        match phase {
            Phase::Looking => {}
            Phase::Starting => self.say("asking the BMC to start: it switches the node off"),
            Phase::Sending(bytes) => self.go_on("sending", bytes),
            Phase::Writing(bytes) => {
                self.say_sent();
                self.go_on("the BMC is writing", bytes);
            }
            Phase::Verifying(bytes) => self.go_on("the BMC is reading it back", bytes),
            Phase::PoweringOn => {
                self.say_sent();
                self.say("written and read back; powering on");
            }
            Phase::CleaningUp => self.say("cleaning up: switching the node off"),
        }
    }

    /// One line where it is new.
    fn say(&mut self, what: &'static str) {
        if self.current.as_ref().is_none_or(|current| current.what != what) {
            self.end();
            self.line(what);
            let now = Instant::now();
            self.current = Some(Current { what, bar: None, began: now, told: now, bytes: 0 });
        }
    }

    fn say_sent(&mut self) {
        let Some(Current { what: "sending", began, .. }) = self.current else { return };
        self.end();
        let length = self.length.unwrap_or_default();
        let took = began.elapsed();
        self.line(&format!("sent {} in {} s, {}/s", human(length), took.as_secs(), rate(length, took)));
    }

    fn go_on(&mut self, what: &'static str, bytes: u64) {
        if self.current.as_ref().is_none_or(|current| current.what != what) {
            self.enter(what);
        }
        self.advance(bytes);
    }

    fn enter(&mut self, what: &'static str) {
        self.end();
        let bar = io::stderr().is_terminal().then(|| self.bar(what));
        if bar.is_none() {
            self.line(what);
        }
        let now = Instant::now();
        self.current = Some(Current { what, bar, began: now, told: now, bytes: 0 });
    }

    fn bar(&self, what: &'static str) -> ProgressBar {
        let (bar, template) = match self.length {
            Some(length) => (ProgressBar::new(length), BAR),
            None => (ProgressBar::no_length(), WITHOUT_END),
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.with_style(style).with_prefix(self.name.clone()).with_message(what)
    }

    fn advance(&mut self, bytes: u64) {
        let length = self.length;
        let Some(current) = &mut self.current else { return };
        current.bytes = bytes;
        if let Some(bar) = &current.bar {
            // Decoded by the BMC, more is written than was sent: then there is no known end.
            if length.is_some_and(|length| bytes > length) {
                bar.unset_length();
            }
            bar.set_position(bytes);
            return;
        }
        if current.told.elapsed() < PAUSE {
            return;
        }
        current.told = Instant::now();
        let (what, took) = (current.what, current.began.elapsed());
        let line = match length {
            Some(length) if bytes <= length => {
                let left = left(bytes, length, took);
                format!("{what}: {} of {}, {}/s{left}", human(bytes), human(length), rate(bytes, took))
            }
            _ => format!("{what}: {}, {}/s", human(bytes), rate(bytes, took)),
        };
        self.line(&line);
    }
}

/// Bytes in a second.
fn rate(bytes: u64, took: Duration) -> String {
    let milliseconds = took.as_millis().max(1);
    human(u64::try_from(u128::from(bytes) * 1000 / milliseconds).unwrap_or(u64::MAX))
}

/// How long it will take at the pace so far; nothing as long as there is none.
fn left(bytes: u64, length: u64, took: Duration) -> String {
    let remaining = u128::from(length.saturating_sub(bytes)) * took.as_millis();
    match remaining.checked_div(u128::from(bytes)) {
        Some(milliseconds) => format!(", {} s left", milliseconds / 1000),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pace_and_rest_are_counted_from_the_beginning() {
        let ten = Duration::from_secs(10);
        assert_eq!(rate(50 << 20, ten), "5.00 MiB");
        assert_eq!(left(50 << 20, 150 << 20, ten), ", 20 s left");
        assert_eq!(left(0, 150 << 20, ten), "");
        assert_eq!(rate(1, Duration::ZERO), "1000 B");
    }
}
