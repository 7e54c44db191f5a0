//! Rows on standard output.

use super::Outcome;
use crate::row::Batch;
use std::io::ErrorKind;
use tokio::io::AsyncWriteExt as _;

/// Writes batches to standard output, off the reader's thread: a reader that stops reading fills the queue,
/// never the daemon's time.
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
            // `… | head` is done with us.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Outcome::Gone,
            Err(error) => Outcome::Unavailable(error.to_string()),
        }
    }
}
