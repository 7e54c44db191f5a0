//! `[cilium]`: settings of Cilium, the network plug-in.

use super::free::FreeValue;
use super::table::{choice, table};
use crate::config::source::Spanned;

table! {
    /// Settings of Cilium, the network plug-in.
    pub struct Cilium {
        /// Load balancing in the network driver. It cannot be combined with the streamer. [default: disabled]
        "acceleration" acceleration: Option<Spanned<Acceleration>> = "disabled",
        /// Helm values of Cilium's chart, merged over the rendered ones.
        "values" values: Option<Spanned<FreeValue>> = serde_json::json!({"debug": {"enabled": true}}),
    }
}

choice! {
    /// Load balancing in the network driver (the chart's `loadBalancer.acceleration`).
    pub enum Acceleration {
        Disabled = "disabled",
        Native = "native",
        BestEffort = "best-effort",
    }
}
