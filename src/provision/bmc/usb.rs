//! How the board's USB is wired: the answer to `get usb`, and `set usb` to restore it.

use serde::Deserialize;
use serde_json::Value;

use super::error::BmcError;
use super::slot::Slot;
use crate::common::printable::Line;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usb {
    pub(super) slot: Slot,
    /// bmcd's number for the mode: 0 host, 1 device, 2 flash, plus 4 if the other end is the BMC.
    pub(super) mode: u8,
}

const HOST: u8 = 0;
const DEVICE: u8 = 1;
const FLASH: u8 = 2;
const TO_BMC: u8 = 4;

#[derive(Deserialize)]
struct Wiring {
    mode: String,
    node: String,
    route: String,
}

impl Usb {
    /// bmcd's own default.
    const DEFAULT: Self = Self { slot: Slot::ALL[0], mode: DEVICE };

    pub(super) fn parse(value: &Value) -> Result<Self, BmcError> {
        let unparsable = || BmcError::Unparsable { said: Line::new(&value.to_string()) };
        let wiring: Wiring =
            serde_json::from_value(value.get(0).unwrap_or(value).clone()).map_err(|_| unparsable())?;
        let slot = Slot::named(&wiring.node).ok_or_else(unparsable)?;
        let mode = match wiring.mode.as_str() {
            "Host" => HOST,
            "Device" => DEVICE,
            "Flash" => FLASH,
            _ => return Err(unparsable()),
        };
        // The other end is called `UsbA` up to firmware 2.1.0, then `AlternativePort`.
        let route = if wiring.route == "Bmc" { TO_BMC } else { 0 };
        Ok(Self { slot, mode: mode + route })
    }

    #[cfg(test)]
    pub(crate) fn host(slot: Slot) -> Self {
        Self { slot, mode: HOST }
    }

    /// Returns the wiring to restore after a flash. If an earlier flash left its own wiring behind, this is bmcd's
    /// default.
    #[must_use]
    pub fn without_flash(self) -> Self {
        if self.mode & FLASH == 0 { self } else { Self::DEFAULT }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_wiring_is_read_as_the_number_that_sets_it() {
        for (mode, node, route, expected) in [
            ("Host", "Node 1", "AlternativePort", (1, 0)),
            ("Device", "Node 2", "UsbA", (2, 1)),
            ("Flash", "Node 3", "Bmc", (3, 6)),
            ("Device", "Node 4", "Bmc", (4, 5)),
        ] {
            let value = json!([{ "mode": mode, "node": node, "route": route, "bus_type": "Usb hub" }]);
            let usb = Usb::parse(&value).expect("a wiring");
            assert_eq!((usb.slot.number(), usb.mode), expected);
        }
    }

    #[test]
    fn the_wiring_of_a_flash_is_not_restored() {
        let left = Usb { slot: Slot::ALL[2], mode: FLASH + TO_BMC };
        assert_eq!(left.without_flash(), Usb::DEFAULT);
        let host = Usb { slot: Slot::ALL[2], mode: HOST + TO_BMC };
        assert_eq!(host.without_flash(), host);
    }
}
