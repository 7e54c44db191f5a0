//! Cilium: `CiliumBGPAdvertisement` and `CiliumBGPPeerConfig`.

use serde_json::Value;

use super::Restated::Function;
use super::{Table, has, text};

pub(super) const RULES: Table = &[
    (
        "self.advertisementType != 'Service' || has(self.service)",
        Function(|advertisement| !is_of(advertisement, "Service") || has(advertisement, "service")),
    ),
    (
        "self.advertisementType == 'Service' || !has(self.service)",
        Function(|advertisement| is_of(advertisement, "Service") || !has(advertisement, "service")),
    ),
    (
        "self.advertisementType != 'Interface' || has(self.interface)",
        Function(|advertisement| !is_of(advertisement, "Interface") || has(advertisement, "interface")),
    ),
    (
        "self.advertisementType == 'Interface' || !has(self.interface)",
        Function(|advertisement| is_of(advertisement, "Interface") || !has(advertisement, "interface")),
    ),
    (
        "self.advertisementType != 'PodCIDR' || !has(self.selector)",
        Function(|advertisement| !is_of(advertisement, "PodCIDR") || !has(advertisement, "selector")),
    ),
    (
        "self.keepAliveTimeSeconds <= self.holdTimeSeconds",
        Function(|timers| {
            let seconds = |key| timers.get(key).and_then(Value::as_i64);
            match (seconds("keepAliveTimeSeconds"), seconds("holdTimeSeconds")) {
                (Some(keepalive), Some(hold)) => keepalive <= hold,
                _ => false,
            }
        }),
    ),
];

fn is_of(advertisement: &Value, kind: &str) -> bool {
    text(advertisement, "advertisementType") == kind
}
