//! `rk1 deploy` against stand-ins for all that it runs and asks: the exact screen of each way is compared.
//!
//! The stand-in for `ssh` runs the node's own side: the very guard that its module ships, and the script by which
//! `rk1 status` asks. The one for `nixos-rebuild` switches what the node has for systems. Kubernetes is a server of the
//! test.
//! `SNAPSHOTS=overwrite` rewrites the expected screens.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "what is not as it should be ends the run"
)]

mod cluster;
mod draining;
#[allow(dead_code, reason = "shared with the tests of the status")]
#[path = "../status/host.rs"]
mod host;
mod kubernetes;
#[allow(dead_code, reason = "shared with the tests of the guard")]
#[path = "../../modules/guard/node.rs"]
mod node;
mod refusals;
mod secrets;
mod switching;
