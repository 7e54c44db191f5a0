//! The whole daemon: real packets on a veth pair between network namespaces, and rows at a server that behaves as Grafana
//! Live does. Needs root.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod attachment;
mod daemon;
mod delivery;
mod frame;
mod grafana;
mod influx;
mod lab;
mod line;
mod output;
mod recording;
mod relay;
mod rows;
mod screen;
mod store;
mod tls;
mod victoria_metrics;

#[allow(unreachable_pub, reason = "shared by tests of several crates")]
#[path = "../../../../tests/requirement/mod.rs"]
mod requirement;

use lab::Lab;
use std::time::{Duration, Instant};

/// Creates a lab. Reports the test as skipped where that is not possible.
fn lab(test: &str) -> Option<Lab> {
    if !rustix::process::geteuid().is_root() {
        requirement::skipped(test, "it needs root");
        return None;
    }
    Some(Lab::new())
}

/// Waits until `condition` holds; fails with `what` after ten seconds.
#[track_caller]
fn wait_until(what: &str, condition: impl FnMut() -> bool) {
    wait_within(Duration::from_secs(10), what, condition);
}

/// Waits until `condition` holds; fails with `what` after `limit`.
#[track_caller]
fn wait_within(limit: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < limit, "waited too long: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
