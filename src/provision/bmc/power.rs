//! Which slots have power: the answer to `get power`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::BmcError;
use super::slot::Slot;
use crate::common::printable::Line;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Power([Option<bool>; 4]);

impl Power {
    /// Parses `[{"node1":"0",…}]`. A value that is neither 0 nor 1, in quotes or not, means that the state is unknown.
    pub(super) fn parse(value: &Value) -> Result<Self, BmcError> {
        let unparsable = || BmcError::Unparsable { said: Line::new(&value.to_string()) };
        let first = value.get(0).unwrap_or(value);
        let map: BTreeMap<String, Value> = serde_json::from_value(first.clone()).map_err(|_| unparsable())?;
        let state = |slot: Slot| match map.get(&format!("node{}", slot.number())) {
            Some(Value::String(text)) if text == "1" => Some(true),
            Some(Value::String(text)) if text == "0" => Some(false),
            Some(Value::Number(number)) => match number.as_u64() {
                Some(0) => Some(false),
                Some(1) => Some(true),
                _ => None,
            },
            _ => None,
        };
        Ok(Self(Slot::ALL.map(state)))
    }

    /// Returns whether a slot has power, or `None` if the BMC does not know.
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
    fn digits_are_read_with_and_without_quotes() {
        let value = json!([{ "node1": "0", "node2": "1", "node3": "Unknown", "node4": 1 }]);
        let power = Power::parse(&value).expect("power");
        assert_eq!(Slot::ALL.map(|slot| power.is_on(slot)), [Some(false), Some(true), None, Some(true)]);
    }

    #[test]
    fn an_answer_without_a_table_is_an_error() {
        assert!(Power::parse(&json!("ok")).is_err());
    }
}
