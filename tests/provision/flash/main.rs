//! `rk1 flash` against a BMC of the test's own, over real TLS and in a network of its own. What one sees is compared as a
//! whole, with what the BMC was asked and how the nodes are left. `SNAPSHOTS=overwrite` writes the screens anew.

#![allow(clippy::expect_used, reason = "what is not as it should be ends the run")]

mod board;
mod canary;
mod certificate;
mod course;
mod image;
mod interruption;
mod kubernetes;
mod memory;
mod network;
mod node;
mod offline;
mod project;
#[path = "../../requirement/mod.rs"]
mod requirement;
mod screens;
mod server;
mod terminal;
