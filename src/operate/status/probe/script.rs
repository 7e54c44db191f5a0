//! A script that a node or a router runs.

use std::time::Duration;

use crate::common::causes::innermost;
use crate::common::ssh::{self, Destination, SshError};
use crate::operate::status::error::ProbeError;

/// Returns what a script prints on a node or a router.
pub(super) async fn script_output(
    destination: &Destination<'_>,
    script: &str,
    limit: Duration,
) -> Result<String, ProbeError> {
    ssh::run_script(destination, script, limit).await.map_err(|error| match error {
        SshError::NotRun(error) => {
            ProbeError::Skipped { reason: format!("`ssh` cannot be run: {}", innermost(&error)) }
        }
        SshError::Late => ProbeError::Late { limit },
        SshError::TooLong => ProbeError::unexpected("the answer is too long"),
        SshError::Unreachable(reason) => ProbeError::Unreachable { reason: reason.to_string() },
        SshError::Denied(reason) => ProbeError::Denied { reason: reason.to_string() },
        SshError::Failed { said, .. } => ProbeError::unexpected(said.as_str()),
    })
}
