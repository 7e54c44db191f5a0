//! One JSON object a line: `measurement` and `time` (nanoseconds) first, then the fields of the row.

use super::{FieldWriter, Row};

/// Appends `row` and a newline.
pub(super) fn append<R: Row>(row: &R, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"measurement\":\"");
    out.extend_from_slice(R::MEASUREMENT.as_bytes());
    out.extend_from_slice(b"\",\"time\":");
    out.extend_from_slice(itoa::Buffer::new().format(row.time()).as_bytes());
    row.fields(&mut JsonWriter { out });
    out.extend_from_slice(b"}\n");
}

struct JsonWriter<'a> {
    out: &'a mut Vec<u8>,
}

impl JsonWriter<'_> {
    fn name(&mut self, name: &str) {
        self.out.extend_from_slice(b",\"");
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }
}

impl FieldWriter for JsonWriter<'_> {
    fn text(&mut self, name: &'static str, value: &str) {
        self.name(name);
        // Writing a string to a vector cannot fail.
        let _ = serde_json::to_writer(&mut *self.out, value);
    }

    fn integer(&mut self, name: &'static str, value: i64) {
        self.name(name);
        self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }
}
