//! The actions of a real deploy: `ssh`, `nixos-rebuild` and Kubernetes.

use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kube::Client;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::actions::{ActionError, Actions};
use super::command::{self, Flake, NodeCommand, REBUILD, Rebuild, RebuildCommand};
use super::drain;
use super::guard::{GuardStatus, Order};
use super::plan::Drain;
use super::reboot::RebootReasons;
use super::secrets::{self, NodeSecrets, Replaced};
use super::versions;
use crate::common::printable::printable_lines;
use crate::common::ssh::{self, Destination, SshError};
use crate::config::cluster::{Cluster, Node, Running};
use crate::operate::status::{self, Observation, ProbeOptions, Scope};

/// The longest that a command on a node may take.
const COMMAND_LIMIT: Duration = Duration::from_mins(1);
/// A terminal interrupts `nixos-rebuild` too: it gets this time to end by itself, and the same time after our interrupt.
const INTERRUPT_GRACE: Duration = Duration::from_secs(3);

/// The words for the exit status of a shell that does not find a command.
const NO_COMMAND: &str = "ended with status 127";

/// Bytes of a line of `nixos-rebuild` that are kept together.
const LINE_LIMIT: u64 = 16 << 10;

/// Acts for the user of `rk1 deploy`.
#[derive(Debug)]
pub struct Operator<'a> {
    cluster: &'a Cluster,
    probe_options: ProbeOptions,
    flake: Flake,
    secrets: NodeSecrets,
    /// The longest that a switch may take: after it the guard rolls back.
    limit: Duration,
    is_cancelled: Arc<AtomicBool>,
    /// Shows a line that `nixos-rebuild` prints, once it is safe to print.
    show: fn(&str),
    /// Asks the user a question that is answered with yes or no.
    ask: fn(&str) -> bool,
}

impl<'a> Operator<'a> {
    #[must_use]
    pub fn new(
        cluster: &'a Cluster,
        probe_options: ProbeOptions,
        flake: Flake,
        limit: Duration,
        is_cancelled: Arc<AtomicBool>,
        show: fn(&str),
        ask: fn(&str) -> bool,
    ) -> Self {
        Self {
            cluster,
            probe_options,
            flake,
            secrets: NodeSecrets::default(),
            limit,
            is_cancelled,
            show,
            ask,
        }
    }

    /// Returns the operator with secrets that it compares with those of the nodes.
    #[must_use]
    pub fn with_secrets(self, secrets: NodeSecrets) -> Self {
        Self { secrets, ..self }
    }

    /// Returns what a command on a node prints.
    async fn output(&self, command: &NodeCommand) -> Result<String, ActionError> {
        self.output_with(command, "").await
    }

    async fn output_with(&self, command: &NodeCommand, input: &str) -> Result<String, ActionError> {
        let words: Vec<_> = command.words.iter().map(String::as_str).collect();
        let destination = Destination::node(&command.target, &self.probe_options.folder);
        let failure = match ssh::run_with_input(&destination, &words, input, COMMAND_LIMIT).await {
            Ok(printed) => return Ok(printed),
            Err(failure) => failure,
        };
        let line = command.to_string();
        Err(match failure {
            SshError::NotRun(source) => ActionError::Unrunnable { program: "ssh", source },
            SshError::Late => ActionError::Late { command: line, limit: COMMAND_LIMIT },
            SshError::TooLong => failed(line, None, "the answer is too long"),
            SshError::Unreachable(said) => {
                ActionError::Disconnected { command: line, said: said.as_str().to_owned() }
            }
            SshError::Denied(said) => failed(line, Some(255), said.as_str()),
            // sshd(8) gives the status of the command, and a shell gives this one where there is no such command.
            SshError::Failed { status: Some(127), .. } if words.first() == Some(&"rk1-guard") => {
                ActionError::NoGuard
            }
            SshError::Failed { status, said } => failed(line, status, said.as_str()),
        })
    }

    /// Connects again each time: the API server of the last time may be on the node that was switched meanwhile.
    async fn client(&self) -> Result<Client, ActionError> {
        Ok(status::connect(self.cluster, &self.probe_options).await?.client)
    }
}

impl Actions for Operator<'_> {
    async fn observe(&self, node: &Node) -> Result<Observation, ActionError> {
        Ok(status::observe(self.cluster, &self.probe_options, &Scope::Nodes(vec![node.name.clone()])).await)
    }

    async fn etcd(&self, server: &Node) -> Result<(), ActionError> {
        self.output(&command::etcd(server)).await.map(drop)
    }

    async fn rebuild(&self, node: &Node, rebuild: Rebuild) -> Result<Option<String>, ActionError> {
        let line = self.flake.rebuild(node, rebuild);
        let limit = match rebuild {
            Rebuild::DryActivate => None,
            Rebuild::Switch | Rebuild::Boot => Some(self.limit),
        };
        let own_options = std::env::var("NIX_SSHOPTS").unwrap_or_default();
        let mut child = Command::new(REBUILD)
            .args(&line.arguments)
            .env("NIX_SSHOPTS", ssh::nix_ssh_options(&own_options, &self.probe_options.folder))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| ActionError::Unrunnable { program: REBUILD, source })?;
        let path = child.stdout.take().map(|stdout| tokio::spawn(last_path(stdout)));
        let show = self.show;
        let shown = child.stderr.take().map(|stderr| {
            // Lines of the node are among them. Several nodes may be under way.
            let name = node.name.clone();
            let show_line =
                move |line: &str| show(format!("{name}            {}", printable_lines(line)).trim_end());
            tokio::spawn(for_each_line(stderr, show_line))
        });
        let status = self.wait(&mut child, &line, limit).await;
        if let Some(task) = shown {
            // What a killed program has left running may keep the stream open.
            let _ = timeout(INTERRUPT_GRACE, task).await;
        }
        let status = status?;
        if !status.success() {
            return Err(failed(line.to_string(), status.code(), ""));
        }
        Ok(match path {
            Some(task) => task.await.unwrap_or_default(),
            None => None,
        })
    }

    async fn running(&self, node: &Node) -> Result<Running, ActionError> {
        match self.client().await {
            Ok(client) => versions::running(&client, node.name.as_str()).await,
            // Without an API server nothing is known. The checks say what that means.
            Err(_) => Ok(Running::default()),
        }
    }

    async fn replace_secrets(&self, node: &Node) -> Result<Replaced, ActionError> {
        let ours = self.secrets.of(node);
        let key = secrets::key().ok_or(ActionError::NoRandom)?;
        let compare = command::secrets(node, "compare");
        let answer = match self.output_with(&compare, &secrets::hashes(&key, ours)).await {
            Ok(answer) => answer,
            // A shell gives this status where there is no such command.
            Err(ActionError::Failed { status, .. }) if status == NO_COMMAND => {
                return Ok(Replaced::NoProgram);
            }
            Err(error) => return Err(error),
        };
        let differing = secrets::differing(&answer, ours);
        if !differing.is_empty() {
            self.output_with(&command::secrets(node, "replace"), &secrets::contents(&differing)).await?;
        }
        Ok(Replaced::Names(differing.iter().map(|secret| secret.name.as_str().to_owned()).collect()))
    }

    async fn guard(&self, node: &Node, order: Order) -> Result<(), ActionError> {
        match self.output(&command::guard(node, order)).await {
            // A node that reboots may close the connection before it answers. Whether it reboots is seen afterwards.
            Err(ActionError::Disconnected { .. }) if order == Order::Reboot => Ok(()),
            answer => answer.map(drop),
        }
    }

    async fn needs_reboot(&self, node: &Node, system: &str) -> Result<RebootReasons, ActionError> {
        match self.output(&command::needs_reboot(node, system)).await {
            Ok(answer) => Ok(RebootReasons::parse(&answer)),
            // An older guard does not understand the question.
            Err(ActionError::Failed { .. }) => Ok(RebootReasons::default()),
            Err(error) => Err(error),
        }
    }

    async fn may_reboot(&self, node: &Node, reasons: &RebootReasons) -> bool {
        let question = format!("{}  reboot?   {reasons}: only a reboot makes this effective.", node.name);
        let ask = self.ask;
        // On a thread of its own: nothing else of the deploy waits for the keyboard.
        tokio::task::spawn_blocking(move || ask(&question)).await.unwrap_or_default()
    }

    async fn guard_state(&self, node: &Node) -> Result<GuardStatus, ActionError> {
        Ok(GuardStatus::parse(&self.output(&command::guard_state(node)).await?)?)
    }

    async fn cordon(&self, node: &Node) -> Result<bool, ActionError> {
        drain::cordon(&self.client().await?, node.name.as_str()).await
    }

    async fn uncordon(&self, node: &Node) -> Result<(), ActionError> {
        drain::uncordon(&self.client().await?, node.name.as_str()).await
    }

    async fn drain(&self, node: &Node, drain: Drain) -> Result<(), ActionError> {
        drain::drain(&self.client().await?, node.name.as_str(), drain, || self.is_cancelled()).await
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Relaxed)
    }
}

impl Operator<'_> {
    /// Waits for a program that the user may interrupt.
    async fn wait(
        &self,
        child: &mut Child,
        line: &RebuildCommand,
        limit: Option<Duration>,
    ) -> Result<ExitStatus, ActionError> {
        let begun = Instant::now();
        loop {
            if let Ok(status) = timeout(Duration::from_millis(100), child.wait()).await {
                let status = status.map_err(|source| ActionError::Unrunnable { program: REBUILD, source })?;
                return if self.is_cancelled() { Err(ActionError::Cancelled) } else { Ok(status) };
            }
            if self.is_cancelled() {
                end(child, INTERRUPT_GRACE).await;
                return Err(ActionError::Cancelled);
            }
            if let Some(limit) = limit.filter(|limit| begun.elapsed() > *limit) {
                end(child, Duration::ZERO).await;
                return Err(ActionError::Late { command: line.to_string(), limit });
            }
        }
    }
}

/// Ends a program: waits for `patience`, then interrupts it, then kills it.
async fn end(child: &mut Child, patience: Duration) {
    if timeout(patience, child.wait()).await.is_ok() {
        return;
    }
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // The program may have ended just now.
        let _ = kill_process(pid, Signal::INT);
    }
    if timeout(INTERRUPT_GRACE, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

fn failed(command: String, status: Option<i32>, said: &str) -> ActionError {
    let status = match status {
        Some(code) => format!("ended with status {code}"),
        None => "was ended".to_owned(),
    };
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    ActionError::Failed { command, status, said }
}

/// Returns the last line that is a path: the system that was built or switched to.
async fn last_path(stdout: impl AsyncRead + Unpin) -> Option<String> {
    let mut path = None;
    for_each_line(stdout, |line| {
        if line.starts_with('/') {
            path = Some(line.trim().to_owned());
        }
    })
    .await;
    path
}

/// Passes on each line of a stream. A line that is longer than any should be arrives in pieces.
async fn for_each_line(stream: impl AsyncRead + Unpin, mut take: impl FnMut(&str)) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    // A stream that breaks off says less; whether the program failed is said by its status.
    while let Ok(1..) = (&mut reader).take(LINE_LIMIT).read_until(b'\n', &mut line).await {
        take(&String::from_utf8_lossy(&line));
        line.clear();
    }
}
