//! Transfers to a module: the request that starts one, and the answer to `get flash`.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::error::BmcError;
use super::slot::Slot;
use crate::common::printable::Line;

/// The number that identifies a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Handle(pub u32);

/// The parameters of a new transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartRequest {
    pub slot: Slot,
    /// A name that ends in `.img`: the BMC decodes what ends in `.xz` and writes everything else unchanged.
    pub file: String,
    /// The exact number of bytes that will be sent: fewer fail the transfer, more crash the BMC's worker.
    pub length: u64,
    /// The digest of the bytes that will be sent, in hexadecimal digits.
    pub sha256: String,
}

/// What the BMC's flash worker is doing. `Done` and `Failed` may describe a transfer that ended long ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transfer {
    Ready,
    Running(Running),
    Done(Done),
    Failed(Line),
}

/// A transfer that is running, or whose worker crashed: bmcd cannot tell the two apart.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
// Firmware before 2.0.5 sends the same fields as a list, which serde reads in this order.
pub struct Running {
    pub id: Handle,
    /// The name of the worker, such as `Node 1 os install service`.
    pub process_name: String,
    /// The number of bytes to be sent.
    pub size: u64,
    pub cancelled: bool,
    /// The number of bytes that were written to the module. It exceeds `size` if the BMC decodes, and starts again at 0
    /// when the bytes are read back.
    pub bytes_written: u64,
}

impl Running {
    /// Returns whether the transfer writes to this slot.
    #[must_use]
    pub fn is_of(&self, slot: Slot) -> bool {
        self.process_name.starts_with(&slot.to_string())
    }
}

/// A transfer that succeeded. The answer has no handle, and stays the same until the next transfer starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    pub took: Duration,
    /// The number of bytes that were sent.
    pub size: u64,
}

impl Transfer {
    pub(super) fn parse(value: &Value) -> Result<Self, BmcError> {
        let unparsable = || BmcError::Unparsable { said: Line::new(&value.to_string()) };
        if value == "Ready" {
            return Ok(Self::Ready);
        }
        if let Some(running) = value.get("Transferring") {
            let running = serde_json::from_value(running.clone());
            return running.map(Self::Running).map_err(|_| unparsable());
        }
        if let Some(done) = value.get("Done") {
            return parse_done(done).map(Self::Done).ok_or_else(unparsable);
        }
        match value.get("Error") {
            Some(Value::String(text)) => Ok(Self::Failed(Line::new(text))),
            _ => Err(unparsable()),
        }
    }
}

/// Parses `[{"secs":…,"nanos":…},size]`.
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
    fn other_values_are_errors() {
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
