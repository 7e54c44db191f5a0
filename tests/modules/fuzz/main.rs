//! The scripts of a node, each run with 1,000 hostile inputs: whatever is on a disk, in a seed, in a state file or in an
//! answer, no script runs it, follows it out of its folders, or hangs.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a failed step is a failed test")]

mod apply;
mod directories;
mod guard;
mod hostile;
mod push_token;
#[path = "../../requirement/mod.rs"]
mod requirement;
mod seed;
