//! `[cilium]`: the network plug-in.

use super::free::FreeValue;
use super::table::{choice, table};
use crate::config::source::Spanned;

table! {
    /// The network plug-in.
    pub struct Cilium {
        /// Load balancing in the network driver. It takes the place of the streamer's program. Left out: disabled.
        "acceleration" acceleration: Option<Spanned<Acceleration>> = "disabled",
        /// Helm values, laid over the rendered ones.
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
