//! Rows on standard output.

use super::Outcome;
use crate::row::Batch;
use std::io::ErrorKind;
use tokio::io::AsyncWriteExt as _;

/// Writes batches to standard output on a thread of its own: a program that does not read them fills the queue, and the
/// daemon goes on.
#[derive(Debug)]
pub struct Stdout(tokio::io::Stdout);

impl Default for Stdout {
    fn default() -> Self {
        Self(tokio::io::stdout())
    }
}

impl Stdout {
    pub(super) async fn push(&mut self, batch: &Batch) -> Outcome {
        let written = async {
            self.0.write_all(&batch.body).await?;
            self.0.flush().await
        };
        match written.await {
            Ok(()) => Outcome::Delivered,
            // A reader such as `head` has read enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Outcome::Gone,
            Err(error) => Outcome::Unavailable { reason: error.to_string(), retry_after: None },
        }
    }
}
