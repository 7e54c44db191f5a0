//! `[cilium]`: settings of Cilium, the network plug-in.

use crate::config::source::Spanned;
use crate::config::written::{self, Acceleration, FreeValue};

#[derive(Debug, Clone)]
pub struct Cilium {
    pub acceleration: Acceleration,
    /// Helm values of the user, merged over the rendered ones.
    pub values: Option<Spanned<FreeValue>>,
}

pub(super) fn resolve(written: Option<&written::Cilium>) -> Cilium {
    let acceleration = written.and_then(|written| written.acceleration.as_ref());
    Cilium {
        acceleration: acceleration.map_or(Acceleration::Disabled, |choice| choice.value),
        values: written.and_then(|written| written.values.clone()),
    }
}
