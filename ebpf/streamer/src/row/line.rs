//! Line protocol, as github.com/influxdata/line-protocol reads it: `measurement field=value,… time`.

use super::{Field, FieldWriter, Origin, Row, Text};

/// More than most rows take: so room is looked for once a row, not once a field.
const USUAL_ROW: usize = 1024;

/// Appends `row` and a newline. Allocates only when `out` has to grow.
pub(super) fn append<R: Row>(row: &R, out: &mut Vec<u8>) {
    out.reserve(USUAL_ROW);
    out.extend_from_slice(R::MEASUREMENT.as_bytes());
    let first = out.len();
    row.fields(&mut LineWriter { out });
    // Every field brings its comma; in place of the first one belongs the space.
    if let Some(separator) = out.get_mut(first) {
        *separator = b' ';
    }
    out.push(b' ');
    out.extend_from_slice(itoa::Buffer::new().format(row.time()).as_bytes());
    out.push(b'\n');
}

/// Fields by themselves, each with its comma.
pub(super) fn texts(fields: &[(Field, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (field, value) in fields {
        LineWriter { out: &mut out }.text(*field, value);
    }
    out
}

/// `,name="` in a room of fixed length: copying all of that is a few instructions, copying as much as the name takes is a
/// call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LineName {
    bytes: [u8; 32],
    length: usize,
}

impl LineName {
    /// Does not compile for a longer name.
    pub(crate) const fn new(text: &str) -> Self {
        let text = text.as_bytes();
        let mut bytes = [0; 32];
        let mut at = 0;
        while at < text.len() {
            bytes[at] = text[at];
            at += 1;
        }
        Self { bytes, length: text.len() }
    }
}

struct LineWriter<'a> {
    out: &'a mut Vec<u8>,
}

impl LineWriter<'_> {
    /// Adds the first `length` bytes of a room.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call for each field is what this saves")]
    fn add<const N: usize>(&mut self, room: &[u8; N], length: usize) {
        let end = self.out.len() + length;
        self.out.extend_from_slice(room);
        self.out.truncate(end);
    }
}

impl FieldWriter for LineWriter<'_> {
    fn text(&mut self, field: Field, value: &str) {
        self.add(&field.line.bytes, field.line.length);
        // Grafana turns the string `NaN` into an empty float, which changes the column's type.
        if value == "NaN" {
            self.out.extend_from_slice(b"nan");
        } else if value.bytes().all(is_plain) {
            self.out.extend_from_slice(value.as_bytes());
        } else {
            escape(value, self.out);
        }
        self.out.push(b'"');
    }

    fn plain(&mut self, field: Field, value: &str) {
        debug_assert!(value.bytes().all(is_plain), "{value:?}");
        self.add(&field.line.bytes, field.line.length);
        self.out.extend_from_slice(value.as_bytes());
        self.out.push(b'"');
    }

    fn origin(&mut self, origin: &Origin) {
        self.out.extend_from_slice(origin.line());
    }

    fn short<const N: usize>(&mut self, field: Field, value: &Text<N>) {
        debug_assert!(value.as_str().bytes().all(is_plain), "{value:?}");
        self.add(&field.line.bytes, field.line.length);
        self.add(value.room(), value.as_str().len());
        self.out.push(b'"');
    }

    fn integer(&mut self, field: Field, value: i64) {
        // Without the quote.
        self.add(&field.line.bytes, field.line.length - 1);
        // Most integers of a packet's row are `-1` or small.
        match value {
            -1 => self.out.extend_from_slice(b"-1i"),
            0..=9 => self.out.extend_from_slice(&[b'0' + value.unsigned_abs().to_le_bytes()[0], b'i']),
            _ => {
                self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
                self.out.push(b'i');
            }
        }
    }
}

const fn is_plain(byte: u8) -> bool {
    byte >= 0x20 && byte != 0x7f && byte != b'"' && byte != b'\\'
}

/// Quotes and backslashes are escaped; control characters, which could end the line, become `?`.
fn escape(value: &str, out: &mut Vec<u8>) {
    for byte in value.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0..0x20 | 0x7f => out.push(b'?'),
            _ => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Example(&'static str);

    impl Row for Example {
        const MEASUREMENT: &'static str = "example";

        fn time(&self) -> i64 {
            1_700_000_000_000_000_001
        }

        fn fields(&self, to: &mut impl FieldWriter) {
            to.text(field!("name"), self.0);
            to.integer(field!("least"), i64::MIN);
        }

        fn describe(&self, to: &mut impl std::fmt::Write) -> std::fmt::Result {
            to.write_str(self.0)
        }
    }

    fn line(value: &'static str) -> String {
        let mut out = Vec::new();
        append(&Example(value), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_is_name_fields_and_time() {
        assert_eq!(
            line("a b,c=d"),
            "example name=\"a b,c=d\",least=-9223372036854775808i 1700000000000000001\n"
        );
    }

    #[test]
    fn nothing_in_a_value_can_end_the_string_or_the_line() {
        assert_eq!(
            line("a\"b\\c\nd\re\0é"),
            "example name=\"a\\\"b\\\\c?d?e?é\",least=-9223372036854775808i 1700000000000000001\n"
        );
    }

    #[test]
    fn a_host_called_nan_stays_a_string() {
        assert_eq!(line("NaN"), "example name=\"nan\",least=-9223372036854775808i 1700000000000000001\n");
    }
}
