//! What FRR and BIRD print about their sessions and routes, for the status of real routers and for the lab.

pub(super) mod bird;
pub(super) mod frr;
mod session;

pub(super) use session::Session;
