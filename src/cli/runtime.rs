//! The one place that starts the asynchronous runtime.

use anyhow::Context;
use tokio::runtime::{Builder, Runtime};

/// Returns a runtime of one thread: commands wait for many hosts at once, and compute little.
pub(super) fn runtime() -> anyhow::Result<Runtime> {
    Builder::new_current_thread().enable_all().build().context("cannot start the asynchronous runtime")
}
