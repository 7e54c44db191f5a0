//! The rows that the daemon writes: four measurements, encoded as line protocol, JSON or a table for people.
//!
//! Grafana Live sets the rules: no tags, every field on every line with the same type, signed integers only, and no
//! newline inside a string. A row visits its fields, so the encodings cannot differ from each other.

mod batch;
mod details;
mod health;
mod json;
mod line;
mod rate;
pub(crate) mod table;
mod talker;
mod text;
mod time;

pub use batch::{Batch, Encoder, Encoding, MOST_BYTES, MOST_ROWS};
pub use details::PacketDetails;
pub use health::Health;
pub use rate::PacketRate;
pub use talker::TopTalker;
pub use text::Text;
pub use time::UniqueTime;

/// Nanoseconds since the Unix epoch.
pub type UnixNanos = i64;

/// One row of a measurement.
pub trait Row {
    /// The measurement's name, which needs no escaping.
    const MEASUREMENT: &'static str;

    fn time(&self) -> UnixNanos;

    /// Visits every field, always all of them and always in the same order.
    fn fields(&self, to: &mut impl FieldWriter);

    /// Writes the row as one line for people, without the time.
    fn describe(&self, to: &mut impl std::fmt::Write) -> std::fmt::Result;
}

/// Receives the fields of a row. Field names are constants of this crate and need no escaping.
pub trait FieldWriter {
    fn text(&mut self, name: &'static str, value: &str);
    fn integer(&mut self, name: &'static str, value: i64);

    /// Writes the two fields that every row has.
    fn origin(&mut self, origin: &Origin) {
        self.text("interface", &origin.interface);
        self.text("host", &origin.host);
    }
}

/// The host and the interface that a row is about. They are fields of every row, because Grafana never forgets a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    host: String,
    interface: String,
}

impl Origin {
    #[must_use]
    pub fn new(host: impl Into<String>, interface: impl Into<String>) -> Self {
        Self { host: host.into(), interface: interface.into() }
    }

    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    #[must_use]
    pub fn interface(&self) -> &str {
        &self.interface
    }
}

/// Returns a counter as the signed integer that Grafana accepts. It saturates at `i64::MAX`.
pub(crate) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
