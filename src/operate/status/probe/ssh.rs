//! One script, one answer, over the system's `ssh`. The script goes through standard input: no argument holds anything
//! of it.

use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::operate::status::failure::ProbeError;

/// The longest that a connection may take to be made, in seconds.
const CONNECT_LIMIT: u64 = 5;
/// How ssh says that it failed itself (ssh(1), "EXIT STATUS").
const SSH_FAILED: i32 = 255;

/// What the script prints on its standard output. `destination` is never an option: whoever made it has seen to that.
pub(super) async fn run(destination: &str, script: &str, limit: Duration) -> Result<String, ProbeError> {
    let output = tokio::time::timeout(limit, output(destination, script, limit));
    let output = output.await.map_err(|_| ProbeError::Late { limit })?;
    let output =
        output.map_err(|error| ProbeError::NotAsked { reason: format!("`ssh` cannot be run: {error}") })?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    let complaint = complaint.trim().lines().last().unwrap_or("no word of explanation").trim();
    match output.status.code() {
        Some(0) => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Some(SSH_FAILED) => Err(failure(complaint)),
        _ => Err(ProbeError::unexpected(complaint)),
    }
}

async fn output(destination: &str, script: &str, limit: Duration) -> std::io::Result<Output> {
    let connect_limit = limit.as_secs().clamp(1, CONNECT_LIMIT);
    let mut child = Command::new("ssh")
        .args([
            "-o",
            "BatchMode=yes",
            "-o",
            &format!("ConnectTimeout={connect_limit}"),
            destination,
            "sh",
            "-s",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // Whoever refuses to listen says why on standard error.
        let _ = input.write_all(script.as_bytes()).await;
    }
    child.wait_with_output().await
}

/// What the last line that ssh says means.
fn failure(complaint: &str) -> ProbeError {
    let is_denial = ["Permission denied", "Host key verification failed", "Too many authentication failures"]
        .iter()
        .any(|words| complaint.contains(words));
    let reason = match complaint.strip_prefix("ssh: connect to host ").and_then(|rest| rest.split_once(": "))
    {
        Some((_, reason)) => reason,
        None => complaint.strip_prefix("ssh: ").unwrap_or(complaint),
    };
    let reason = reason.trim_end_matches('.').to_owned();
    if is_denial { ProbeError::Denied { reason } } else { ProbeError::Unreachable { reason } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_openssh_are_understood() {
        let unreachable = |reason: &str| ProbeError::Unreachable { reason: reason.to_owned() };
        let denied = |reason: &str| ProbeError::Denied { reason: reason.to_owned() };
        let cases = [
            (
                "ssh: connect to host 172.16.10.221 port 22: Connection refused",
                unreachable("Connection refused"),
            ),
            ("ssh: connect to host 172.16.10.221 port 22: No route to host", unreachable("No route to host")),
            (
                "ssh: Could not resolve hostname edge: Name or service not known",
                unreachable("Could not resolve hostname edge: Name or service not known"),
            ),
            (
                "root@172.16.10.221: Permission denied (publickey).",
                denied("root@172.16.10.221: Permission denied (publickey)"),
            ),
            ("Host key verification failed.", denied("Host key verification failed")),
            (
                "Connection closed by 172.16.10.221 port 22",
                unreachable("Connection closed by 172.16.10.221 port 22"),
            ),
        ];
        for (complaint, expected) in cases {
            assert_eq!(failure(complaint), expected, "{complaint}");
        }
    }
}
