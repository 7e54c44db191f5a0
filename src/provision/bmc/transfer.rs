//! Transfers to a module: what starts one, and what the BMC says of it.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::{BmcError, Slot};
use crate::printable::Line;

/// By what a transfer is told from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Handle(pub u32);

/// What a transfer is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartRequest {
    pub slot: Slot,
    /// A name ending in `.img`: whatever ends in `.xz` is decoded, anything else is written as it comes.
    pub file: String,
    /// Bytes that will be sent, exactly: with fewer the transfer fails, with more the BMC's worker dies.
    pub length: u64,
    /// Of the bytes that will be sent, in hexadecimal digits.
    pub sha256: String,
}

/// What the BMC does: `get flash`. Any answer but `Ready` and `Running` may be of a transfer long past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transfer {
    Ready,
    Running(Running),
    Done(Done),
    Failed(Line),
}

/// A transfer that runs, or whose worker died without a word.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
// Firmware before 2.0.5 answers with the same fields in a list, which this reads as well: the order counts.
pub struct Running {
    pub id: Handle,
    /// Such as `Node 1 os install service`.
    pub process_name: String,
    /// Bytes that are sent.
    pub size: u64,
    pub cancelled: bool,
    /// Bytes that were written to the module; more than `size` where the BMC decodes. Counted from 0 a second time while
    /// they are read back.
    pub bytes_written: u64,
}

impl Running {
    /// Whether it writes to this slot.
    #[must_use]
    pub fn is_of(&self, slot: Slot) -> bool {
        self.process_name.starts_with(&slot.to_string())
    }
}

/// A transfer that succeeded. It has no handle, and stays until the next one starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    pub took: Duration,
    /// Bytes that were sent.
    pub size: u64,
}

impl Transfer {
    pub(super) fn parse(value: &Value) -> Result<Self, BmcError> {
        let not_understood = || BmcError::NotUnderstood { said: Line::new(&value.to_string()) };
        if value == "Ready" {
            return Ok(Self::Ready);
        }
        if let Some(running) = value.get("Transferring") {
            let running = serde_json::from_value(running.clone());
            return running.map(Self::Running).map_err(|_| not_understood());
        }
        if let Some(done) = value.get("Done") {
            return parse_done(done).map(Self::Done).ok_or_else(not_understood);
        }
        match value.get("Error") {
            Some(Value::String(text)) => Ok(Self::Failed(Line::new(text))),
            _ => Err(not_understood()),
        }
    }
}

/// Reads `[{"secs":…,"nanos":…},size]`.
fn parse_done(done: &Value) -> Option<Done> {
    let took = done.get(0)?;
    let nanoseconds = took.get("nanos")?.as_u64().and_then(|nanoseconds| u32::try_from(nanoseconds).ok())?;
    let took = Duration::from_secs(took.get("secs")?.as_u64()?)
        .checked_add(Duration::from_nanos(nanoseconds.into()))?;
    Some(Done { took, size: done.get(1)?.as_u64()? })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn running() -> Transfer {
        Transfer::Running(Running {
            id: Handle(7),
            process_name: "Node 1 os install service".to_owned(),
            size: 100,
            cancelled: false,
            bytes_written: 40,
        })
    }

    #[test]
    fn each_state_is_read() {
        let map = json!({ "Transferring": { "id": 7, "process_name": "Node 1 os install service", "size": 100,
            "cancelled": false, "bytes_written": 40 } });
        let list = json!({ "Transferring": [7, "Node 1 os install service", 100, false, 40] });
        let took = Duration::new(12, 5);
        for (value, expected) in [
            (json!("Ready"), Transfer::Ready),
            (map, running()),
            (list, running()),
            (json!({ "Done": [{ "secs": 12, "nanos": 5 }, 100] }), Transfer::Done(Done { took, size: 100 })),
            (json!({ "Error": "USB" }), Transfer::Failed(Line::new("USB"))),
        ] {
            assert_eq!(Transfer::parse(&value).expect("a state"), expected);
        }
    }

    #[test]
    fn what_is_no_state_is_not_understood() {
        for value in [
            json!("Busy"),
            json!({ "Done": [] }),
            json!({ "Done": [{ "secs": u64::MAX, "nanos": u32::MAX }, 1] }),
            json!({ "Transferring": [7] }),
            json!({ "Error": 3 }),
            json!(null),
        ] {
            assert!(Transfer::parse(&value).is_err(), "{value}");
        }
    }
}
