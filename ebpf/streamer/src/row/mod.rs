//! What is shown: four kinds of rows, written as line protocol, JSON or a table.
//!
//! Grafana Live sets the rules: no tags, every field on every line with the same type, signed integers only,
//! no newline inside a string. A row is a visitor over its fields, so that the three encodings cannot differ.

/// A [`Field`] of a name.
macro_rules! field {
    ($name:literal) => {
        const { $crate::row::Field { name: $name, line: $crate::row::LineName::new(concat!(",", $name, "=\"")) } }
    };
}
pub(crate) use field;

mod batch;
mod details;
mod health;
mod json;
mod line;
mod origin;
mod rate;
mod table;
mod talker;
mod text;

pub use batch::{Batch, Encoder, Encoding, UniqueTime};
pub use details::PacketDetails;
pub use health::Health;
pub(crate) use line::LineName;
pub use origin::Origin;
pub use rate::PacketRate;
pub use talker::TopTalker;
pub use text::Text;

/// Nanoseconds since the Unix epoch.
pub type UnixNanos = i64;

/// One row of a measurement.
pub trait Row {
    /// The measurement's name, which needs no escaping.
    const MEASUREMENT: &'static str;

    fn time(&self) -> UnixNanos;

    /// Visits every field, always all of them and always in the same order.
    fn fields(&self, to: &mut impl FieldWriter);

    /// One line for people, without the time.
    fn describe(&self, to: &mut impl std::fmt::Write) -> std::fmt::Result;
}

/// A field's name in the forms that the encodings need, put together by the compiler.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    pub(crate) line: LineName,
}

/// Receives a row's fields. Names are constants of this crate and need no escaping.
pub trait FieldWriter {
    fn text(&mut self, field: Field, value: &str);
    fn integer(&mut self, field: Field, value: i64);

    /// A text of our own making, without quotes, backslashes and control characters: it need not be looked through.
    fn plain(&mut self, field: Field, value: &str) {
        self.text(field, value);
    }

    /// The two fields of every row.
    fn origin(&mut self, origin: &Origin) {
        self.text(origin::INTERFACE, origin.interface());
        self.text(origin::HOST, origin.host());
    }

    /// A plain text that lies in a room of fixed length.
    fn short<const N: usize>(&mut self, field: Field, value: &Text<N>) {
        self.plain(field, value.as_str());
    }
}

/// A counter as the signed integer that Grafana takes; it saturates after 292 years of nanoseconds.
pub(crate) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
