//! Lines of the line protocol as we write it: no tags, signed integers and strings, a time in nanoseconds.

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Integer(i64),
    Text(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) measurement: String,
    pub(crate) fields: Vec<(String, Value)>,
    /// Nanoseconds since the Unix epoch.
    pub(crate) time: i64,
}

impl Line {
    /// Parses a line. Refuses what the protocol allows and the daemon never writes.
    pub(crate) fn parse(line: &str) -> Result<Self, String> {
        let (measurement, rest) = line.split_once(' ').ok_or("no fields")?;
        if measurement.contains(',') {
            return Err("tags".into());
        }
        let (mut rest, time) = rest.rsplit_once(' ').ok_or("no time")?;
        if time.len() != 19 || !time.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(format!("bad time {time}"));
        }
        let time = time.parse().map_err(|_| format!("bad time {time}"))?;
        let mut fields = Vec::new();
        loop {
            let (name, value) = rest.split_once('=').ok_or("no value")?;
            if name.is_empty()
                || !name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            {
                return Err(format!("bad name {name}"));
            }
            let (value, length) = value_of(name, value)?;
            let after = &rest[name.len() + 1 + length..];
            fields.push((name.to_owned(), value));
            match after.strip_prefix(',') {
                Some(next) => rest = next,
                None if after.is_empty() => {
                    return Ok(Self { measurement: measurement.to_owned(), fields, time });
                }
                None => return Err(format!("junk after {name}")),
            }
        }
    }
}

/// Returns the value at the start of `text`, and its length there.
fn value_of(name: &str, text: &str) -> Result<(Value, usize), String> {
    if let Some(quoted) = text.strip_prefix('"') {
        let mut escaped = false;
        let mut value = String::new();
        for (at, c) in quoted.char_indices() {
            match c {
                '\\' if !escaped => escaped = true,
                '"' if !escaped => return Ok((Value::Text(value), at + 2)),
                c => {
                    escaped = false;
                    value.push(c);
                }
            }
        }
        return Err("a string without an end".into());
    }
    let end = text.find(',').unwrap_or(text.len());
    let number = text[..end].strip_suffix('i').ok_or_else(|| format!("not a signed integer: {name}"))?;
    Ok((Value::Integer(number.parse::<i64>().map_err(|error| error.to_string())?), end))
}
