use std::collections::BTreeMap;

use serde_json::Value;

use super::{BmcError, Slot};
use crate::printable::Line;

/// Which slots have power: `get power`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Power([Option<bool>; 4]);

impl Power {
    /// Reads `[{"node1":"0",…}]`. Whatever is neither `0` nor `1`, in quotes or not, is unknown.
    pub(super) fn parse(value: &Value) -> Result<Self, BmcError> {
        let not_understood = || BmcError::NotUnderstood { said: Line::new(&value.to_string()) };
        let first = value.get(0).unwrap_or(value);
        let map: BTreeMap<String, Value> =
            serde_json::from_value(first.clone()).map_err(|_| not_understood())?;
        let state = |slot: Slot| match map.get(&format!("node{}", slot.number())) {
            Some(Value::String(text)) if text == "1" => Some(true),
            Some(Value::String(text)) if text == "0" => Some(false),
            Some(Value::Number(number)) => number.as_u64().map(|number| number != 0),
            _ => None,
        };
        Ok(Self(Slot::ALL.map(state)))
    }

    /// Nothing where the BMC does not know.
    #[must_use]
    pub fn is_on(self, slot: Slot) -> Option<bool> {
        self.0.get(usize::from(slot.index())).copied().flatten()
    }

    #[cfg(test)]
    pub(crate) fn all(on: bool) -> Self {
        Self([Some(on); 4])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn digits_in_quotes_are_read() {
        let value = json!([{ "node1": "0", "node2": "1", "node3": "Unknown", "node4": 1 }]);
        let power = Power::parse(&value).expect("power");
        assert_eq!(Slot::ALL.map(|slot| power.is_on(slot)), [Some(false), Some(true), None, Some(true)]);
    }

    #[test]
    fn what_is_no_table_is_not_understood() {
        assert!(Power::parse(&json!("ok")).is_err());
    }
}
