use serde::Deserialize;
use serde_json::Value;

use super::{BmcError, Slot};
use crate::printable::Line;

/// How the board's USB is wired: `get usb`, and `set usb` to have it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usb {
    pub(super) slot: Slot,
    /// bmcd's number: 0 host, 1 device, 2 flash, and 4 more where the BMC is at the other end.
    pub(super) mode: u8,
}

const HOST: u8 = 0;
const DEVICE: u8 = 1;
const FLASH: u8 = 2;
const TO_BMC: u8 = 4;

#[derive(Deserialize)]
struct Answer {
    mode: String,
    node: String,
    route: String,
}

impl Usb {
    /// bmcd's own default.
    const DEFAULT: Self = Self { slot: Slot::ALL[0], mode: DEVICE };

    pub(super) fn parse(value: &Value) -> Result<Self, BmcError> {
        let not_understood = || BmcError::NotUnderstood { said: Line::new(&value.to_string()) };
        let answer: Answer =
            serde_json::from_value(value.get(0).unwrap_or(value).clone()).map_err(|_| not_understood())?;
        let slot = Slot::named(&answer.node).ok_or_else(not_understood)?;
        let mode = match answer.mode.as_str() {
            "Host" => HOST,
            "Device" => DEVICE,
            "Flash" => FLASH,
            _ => return Err(not_understood()),
        };
        // The other end is called `UsbA` up to firmware 2.1.0, then `AlternativePort`.
        let route = if answer.route == "Bmc" { TO_BMC } else { 0 };
        Ok(Self { slot, mode: mode + route })
    }

    #[cfg(test)]
    pub(crate) fn host(slot: Slot) -> Self {
        Self { slot, mode: HOST }
    }

    /// The wiring to go back to. That of a flash which nobody cleaned up is none: then it is bmcd's default.
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
    fn flash_wiring_is_nothing_to_go_back_to() {
        let left = Usb { slot: Slot::ALL[2], mode: FLASH + TO_BMC };
        assert_eq!(left.without_flash(), Usb::DEFAULT);
        let host = Usb { slot: Slot::ALL[2], mode: HOST + TO_BMC };
        assert_eq!(host.without_flash(), host);
    }
}
