//! The one way to call the system's `ssh` client.
//!
//! Every call of every command has the same options: nobody is there to answer a question, an unknown host key is never
//! accepted in passing, and a host that is away is not waited for as long as TCP would. User, port, key and jump host come
//! from the user's own ssh configuration. The nodes' host keys may come from a file beside `cluster.toml`, in addition to the
//! user's own list. What a host prints is read up to a bound.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use crate::common::known_hosts;
use crate::common::printable::Line;
use crate::common::shell::word;

/// The options of every call, in the form of `ssh` and of `NIX_SSHOPTS`. See `ssh_config(5)`.
const OPTIONS: [&str; 5] = [
    // Fail instead of asking for a password or a passphrase.
    "BatchMode=yes",
    // Fail instead of asking about an unknown host key, also where the user's configuration accepts new ones.
    "StrictHostKeyChecking=yes",
    "ConnectTimeout=5",
    // A connection that has gone dead is noticed after half a minute.
    "ServerAliveInterval=5",
    "ServerAliveCountMax=6",
];

/// The exit status of ssh when ssh itself failed (ssh(1), "EXIT STATUS").
const SSH_FAILED: i32 = 255;
/// Bytes of standard output that are read. The longest answer is the page of counters of some streamers: 20 kB.
const OUTPUT_LIMIT: u64 = 1 << 20;
/// Bytes of standard error that are read.
const COMPLAINT_LIMIT: u64 = 64 << 10;

/// Why a call brought no answer.
#[derive(Debug)]
pub(crate) enum SshError {
    /// `ssh` could not be started.
    NotRun(io::Error),
    Late,
    /// More was printed than any answer needs.
    TooLong,
    /// The host was not reached.
    Unreachable(Line),
    /// The host was reached, but refused the login, or is not the host that it should be.
    Denied(Line),
    /// The command ran and failed. `status` is `None` where a signal ended it.
    Failed {
        status: Option<i32>,
        said: Line,
    },
}

/// A host that ssh reaches, and how ssh knows it.
#[derive(Debug, Clone)]
pub(crate) struct Destination<'a> {
    /// As ssh takes it. It must not begin with a dash: whoever makes it has checked that.
    target: &'a str,
    /// The host keys of the cluster's nodes.
    known_hosts: Option<PathBuf>,
}

impl<'a> Destination<'a> {
    /// Returns a host that only the user's own list of host keys knows.
    pub(crate) fn foreign(target: &'a str) -> Self {
        Self { target, known_hosts: None }
    }

    /// Returns a node of the cluster whose file is in `folder`.
    pub(crate) fn node(target: &'a str, folder: &Path) -> Self {
        Self { target, known_hosts: known_hosts::existing(folder) }
    }

    /// Returns the options as arguments.
    fn arguments(&self) -> Vec<String> {
        arguments(self.known_hosts.as_deref())
    }
}

/// Returns the options as arguments. The cluster's list of host keys takes the place of the machine's, so that the user's own
/// list stays in force whatever its configuration says.
fn arguments(known_hosts: Option<&Path>) -> Vec<String> {
    // ssh_config(5): arguments with spaces are in double quotes.
    let file = known_hosts.and_then(Path::to_str).filter(|path| !path.contains(['"', '\\']));
    let file = file.map(|path| {
        let quote = if path.contains(char::is_whitespace) { "\"" } else { "" };
        format!("GlobalKnownHostsFile={quote}{path}{quote}")
    });
    OPTIONS.into_iter().map(str::to_owned).chain(file).flat_map(|option| ["-o".to_owned(), option]).collect()
}

/// Returns the options as `NIX_SSHOPTS` takes them, behind those that the user has set: ssh uses the first value that it
/// finds. `folder` is that of `cluster.toml`.
#[must_use]
pub(crate) fn nix_ssh_options(own: &str, folder: &Path) -> String {
    let ours = arguments(known_hosts::existing(folder).as_deref());
    let ours = ours.iter().map(|option| word(option)).collect::<Vec<_>>().join(" ");
    if own.is_empty() { ours } else { format!("{own} {ours}") }
}

/// Has the shell of a host run a script, and returns what it prints on standard output.
///
/// The script goes through standard input, so that none of it is an argument.
pub(crate) async fn run_script(
    destination: &Destination<'_>,
    script: &str,
    limit: Duration,
) -> Result<String, SshError> {
    run(destination, &["sh", "-s"], script, limit).await
}

/// Runs a command on a host with an input, which may be empty and may contain secrets, and returns what it prints on standard
/// output.
pub(crate) async fn run_with_input(
    destination: &Destination<'_>,
    command: &[&str],
    input: &str,
    limit: Duration,
) -> Result<String, SshError> {
    run(destination, command, input, limit).await
}

async fn run(
    destination: &Destination<'_>,
    command: &[&str],
    input: &str,
    limit: Duration,
) -> Result<String, SshError> {
    tokio::time::timeout(limit, run_without_limit(destination, command, input))
        .await
        .unwrap_or(Err(SshError::Late))
}

async fn run_without_limit(
    destination: &Destination<'_>,
    command: &[&str],
    input: &str,
) -> Result<String, SshError> {
    let (options, target) = (destination.arguments(), destination.target);
    log::debug!("ssh {} {target} {}", options.join(" "), command.join(" "));
    let mut child = Command::new("ssh")
        .args(options)
        .arg(target)
        .args(command)
        .stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(SshError::NotRun)?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let write = async {
        if let Some(mut stdin) = stdin {
            // A host that does not read its input says why on standard error.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        Ok(())
    };
    let ((), printed, complaint) =
        tokio::try_join!(write, read(stdout, OUTPUT_LIMIT), read(stderr, COMPLAINT_LIMIT))?;
    let status = child.wait().await.map_err(SshError::NotRun)?;
    let complaint = complaint.trim().lines().last().unwrap_or("no word of explanation").trim();
    match status.code() {
        Some(0) => Ok(printed),
        Some(SSH_FAILED) => Err(failure(complaint)),
        status => Err(SshError::Failed { status, said: Line::new(complaint) }),
    }
}

async fn read(stream: Option<impl AsyncRead + Unpin>, limit: u64) -> Result<String, SshError> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        // Returning drops the child, and that kills `ssh`.
        stream.take(limit + 1).read_to_end(&mut bytes).await.map_err(SshError::NotRun)?;
    }
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= limit) {
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    } else {
        Err(SshError::TooLong)
    }
}

/// Reads the last line that ssh printed.
fn failure(complaint: &str) -> SshError {
    let is_denial = ["Permission denied", "Host key verification failed", "Too many authentication failures"]
        .iter()
        .any(|words| complaint.contains(words));
    let reason = match complaint.strip_prefix("ssh: connect to host ").and_then(|rest| rest.split_once(": "))
    {
        Some((_, reason)) => reason,
        None => complaint.strip_prefix("ssh: ").unwrap_or(complaint),
    };
    let reason = Line::new(reason.trim_end_matches('.'));
    if is_denial { SshError::Denied(reason) } else { SshError::Unreachable(reason) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_openssh_are_understood() {
        let cases = [
            ("ssh: connect to host 172.16.10.221 port 22: Connection refused", false, "Connection refused"),
            ("ssh: connect to host 172.16.10.221 port 22: No route to host", false, "No route to host"),
            (
                "ssh: Could not resolve hostname edge: Name or service not known",
                false,
                "Could not resolve hostname edge: Name or service not known",
            ),
            (
                "root@172.16.10.221: Permission denied (publickey).",
                true,
                "root@172.16.10.221: Permission denied (publickey)",
            ),
            ("Host key verification failed.", true, "Host key verification failed"),
            (
                "Connection closed by 172.16.10.221 port 22",
                false,
                "Connection closed by 172.16.10.221 port 22",
            ),
        ];
        for (complaint, is_denied, expected) in cases {
            let (was_denied, reason) = match failure(complaint) {
                SshError::Denied(reason) => (true, reason),
                SshError::Unreachable(reason) => (false, reason),
                other => panic!("{complaint}: {other:?}"),
            };
            assert_eq!((was_denied, reason.as_str()), (is_denied, expected), "{complaint}");
        }
    }

    #[test]
    fn options_of_the_user_come_first_for_nix() {
        let folder = tempfile::tempdir().expect("temporary folder");
        assert_eq!(
            nix_ssh_options("-J bastion", folder.path()),
            "-J bastion -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=5 \
             -o ServerAliveInterval=5 -o ServerAliveCountMax=6"
        );
        assert!(nix_ssh_options("", folder.path()).starts_with("-o BatchMode=yes"));
    }

    #[test]
    fn nodes_are_known_by_the_list_of_the_cluster() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let last = |destination: &Destination<'_>| destination.arguments().pop().unwrap_or_default();
        assert_eq!(last(&Destination::node("root@a", folder.path())), "ServerAliveCountMax=6");
        for (name, quote) in [("plain", ""), ("with spaces", "\"")] {
            let folder = folder.path().join(name);
            std::fs::create_dir(&folder).expect("a folder");
            std::fs::write(folder.join("known_hosts"), "").expect("a file");
            let path = folder.join("known_hosts").display().to_string();
            let option = format!("GlobalKnownHostsFile={quote}{path}{quote}");
            assert_eq!(last(&Destination::node("root@a", &folder)), option);
            // OpenSSH prints what it has understood.
            let output = std::process::Command::new("ssh").arg("-G").args(["-o", &option, "a"]).output();
            if let Ok(output) = output {
                let understood = String::from_utf8_lossy(&output.stdout).into_owned();
                assert!(understood.contains(&format!("globalknownhostsfile {path}\n")), "{understood}");
            }
            assert_eq!(last(&Destination::foreign("root@router")), "ServerAliveCountMax=6");
            assert!(nix_ssh_options("", &folder).ends_with(&format!("-o {}", word(&option))));
        }
    }
}
