//! Runs `rk1 flash` against a stand-in for a BMC, over real TLS and in a network namespace. The screens are compared as a
//! whole, together with the requests to the BMC and the power of the nodes. `SNAPSHOTS=overwrite` rewrites them.

#![allow(clippy::expect_used, reason = "a failed step is a failed test")]

mod board;
mod canary;
mod certificate;
mod course;
mod image;
mod interruption;
mod kubernetes;
mod memory;
mod modules;
mod network;
mod node;
mod offline;
mod project;
#[path = "../../requirement/mod.rs"]
mod requirement;
mod screens;
mod server;
mod terminal;
