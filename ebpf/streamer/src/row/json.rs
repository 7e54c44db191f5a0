//! One JSON object a line: `measurement` and `time` (nanoseconds) first, then the row's fields.

use super::{Field, FieldWriter, Row};

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
    fn text(&mut self, field: Field, value: &str) {
        self.name(field.name);
        // Writing a string to a vector cannot fail.
        let _ = serde_json::to_writer(&mut *self.out, value);
    }

    fn integer(&mut self, field: Field, value: i64) {
        self.name(field.name);
        self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }
}
