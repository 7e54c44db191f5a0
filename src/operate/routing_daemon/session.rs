//! What both daemons are read into.

use std::net::IpAddr;

/// A session of a router with a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::operate) enum Session {
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
    pub(in crate::operate) fn is_established(&self) -> bool {
        matches!(self, Self::Established { .. })
    }
}

/// Returns the addresses in order, each once.
pub(super) fn sorted(mut addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}
