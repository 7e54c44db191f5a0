//! The guard of `modules/guard.nix`: the very script, with stand-ins for what it runs, and under a real systemd.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test, also in what tests share")]

mod interruption;
mod node;
#[path = "../../requirement/mod.rs"]
mod requirement;
mod service;
mod states;
