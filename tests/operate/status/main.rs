//! `rk1 status` against stand-ins for all that it asks, with each failure in turn: the exact screen is compared.
//!
//! A test's cluster lives in a network namespace of its own, with the addresses and ports of a real one: servers of the
//! test are Kubernetes, the router and the gateway, and a stand-in for `ssh` runs the very scripts that nodes and routers
//! are sent. `SNAPSHOTS=overwrite` rewrites the expected screens.

#![allow(clippy::expect_used, clippy::panic, reason = "what is not as it should be ends the run")]

mod causes;
mod certificates;
mod cluster;
mod command;
mod daemons;
mod disagreement;
mod dual_stack;
mod gateway;
mod host;
mod kubernetes;
mod network;
mod nodes;
#[path = "../../requirement/mod.rs"]
mod requirement;
mod routers;
mod server;
