//! What FRR and BIRD print about their sessions and routes, for the status of real routers and for the lab.

pub(super) mod bird;
pub(super) mod frr;

/// A session of a router with a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Session {
    Established {
        /// In the router's own notation.
        uptime: Option<String>,
        /// How many routes the router has taken from the node.
        routes: Option<u64>,
    },
    /// The router's own word for the state.
    Down { state: String },
}

impl Session {
    pub(super) fn is_established(&self) -> bool {
        matches!(self, Self::Established { .. })
    }
}

/// Returns the addresses in order, each once.
fn sorted(mut addresses: Vec<std::net::IpAddr>) -> Vec<std::net::IpAddr> {
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}
