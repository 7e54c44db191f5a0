//! Line protocol, as github.com/influxdata/line-protocol reads it: `measurement field=value,… time`.

use super::{FieldWriter, Row};

/// Appends `row` and a newline.
pub(super) fn append<R: Row>(row: &R, out: &mut Vec<u8>) {
    out.extend_from_slice(R::MEASUREMENT.as_bytes());
    row.fields(&mut LineWriter { out, separator: b' ' });
    out.push(b' ');
    out.extend_from_slice(itoa::Buffer::new().format(row.time()).as_bytes());
    out.push(b'\n');
}

struct LineWriter<'a> {
    out: &'a mut Vec<u8>,
    /// A space before the first field, a comma before the others.
    separator: u8,
}

impl LineWriter<'_> {
    fn name(&mut self, name: &str) {
        self.out.push(std::mem::replace(&mut self.separator, b','));
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b'=');
    }
}

impl FieldWriter for LineWriter<'_> {
    fn text(&mut self, name: &'static str, value: &str) {
        self.name(name);
        self.out.push(b'"');
        // Grafana turns the string `NaN` into an empty float, which changes the type of the column.
        if value == "NaN" {
            self.out.extend_from_slice(b"nan");
        } else if value.bytes().all(is_plain) {
            self.out.extend_from_slice(value.as_bytes());
        } else {
            escape(value, self.out);
        }
        self.out.push(b'"');
    }

    fn integer(&mut self, name: &'static str, value: i64) {
        self.name(name);
        self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
        self.out.push(b'i');
    }
}

const fn is_plain(byte: u8) -> bool {
    byte >= 0x20 && byte != 0x7f && byte != b'"' && byte != b'\\'
}

/// Escapes quotes and backslashes. Control characters could end the line, so they become `?`.
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
            to.text("name", self.0);
            to.integer("least", i64::MIN);
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
    fn a_line_has_a_name_fields_and_a_time() {
        assert_eq!(
            line("a b,c=d"),
            "example name=\"a b,c=d\",least=-9223372036854775808i 1700000000000000001\n"
        );
    }

    #[test]
    fn no_value_can_end_the_string_or_the_line() {
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
