//! What is written for Kubernetes: the schemas, the rules and the verdicts of the validator, each against something
//! that does not come from here.

#![allow(clippy::expect_used, clippy::panic, reason = "what is not as it should be ends the run")]

mod agreement;
mod cases;
mod compact;
mod judge;
mod mutation;
mod objects;
#[path = "../../requirement/mod.rs"]
mod requirement;
mod rules;
mod sample;
mod values;

use std::io::Write;

/// Says a figure on the real standard error, which the test harness does not capture.
fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
