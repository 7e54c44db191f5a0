//! What a deploy does in the real world: `ssh`, `nixos-rebuild`, Kubernetes.

use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kube::Client;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::actions::{ActionError, Actions};
use super::command::{self, CommandLine, Flake, Rebuild};
use super::drain;
use super::guard::{Answer, Order};
use super::plan::Drain;
use crate::config::cluster::{Cluster, Node};
use crate::operate::status::{self, Access, Observation, Scope};

/// For a command on a node. None of them does anything that takes long.
const COMMAND_LIMIT: Duration = Duration::from_mins(1);
/// A terminal interrupts `nixos-rebuild` as well: it gets this time to end by itself, and then as much after ours.
const INTERRUPT_GRACE: Duration = Duration::from_secs(3);

/// On behalf of whoever runs `rk1 deploy`.
#[derive(Debug)]
pub struct Operator<'a> {
    cluster: &'a Cluster,
    access: Access,
    flake: Flake,
    /// For a switch: after it the node goes back anyway.
    limit: Duration,
    is_cancelled: Arc<AtomicBool>,
}

impl<'a> Operator<'a> {
    #[must_use]
    pub fn new(
        cluster: &'a Cluster,
        access: Access,
        flake: Flake,
        limit: Duration,
        is_cancelled: Arc<AtomicBool>,
    ) -> Self {
        Self { cluster, access, flake, limit, is_cancelled }
    }

    /// Anew each time: the API server of the last time may be on the node that has been switched meanwhile.
    async fn client(&self) -> Result<Client, ActionError> {
        Ok(status::connect(self.cluster, &self.access).await?.client)
    }
}

impl Actions for Operator<'_> {
    async fn observe(&self, node: &Node) -> Result<Observation, ActionError> {
        Ok(status::observe(self.cluster, &self.access, &Scope::Nodes(vec![node.name.clone()])).await)
    }

    async fn etcd(&self, server: &Node) -> Result<(), ActionError> {
        output(&command::etcd(server)).await.map(drop)
    }

    async fn rebuild(&self, node: &Node, rebuild: Rebuild) -> Result<Option<String>, ActionError> {
        let line = self.flake.rebuild(node, rebuild);
        let limit = match rebuild {
            Rebuild::DryActivate => None,
            Rebuild::Switch => Some(self.limit),
        };
        let mut options = std::env::var("NIX_SSHOPTS").unwrap_or_default();
        // Without this a connection that the switch has cut would be waited for as long as TCP does.
        options.push_str(" -o ConnectTimeout=10 -o ServerAliveInterval=5 -o ServerAliveCountMax=6");
        let mut child = Command::new(line.program)
            .args(line.options)
            .args(&line.arguments)
            .env("NIX_SSHOPTS", options.trim_start())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| ActionError::Unrunnable { program: line.program, source })?;
        let printed = child.stdout.take().map(|mut stdout| {
            tokio::spawn(async move {
                let mut text = String::new();
                // Cut off, it says less; that it failed says its status.
                let _ = stdout.read_to_string(&mut text).await;
                text
            })
        });
        let status = self.wait(&mut child, &line, limit).await?;
        if !status.success() {
            return Err(failed(&line, status, ""));
        }
        let printed = match printed {
            Some(task) => task.await.unwrap_or_default(),
            None => String::new(),
        };
        let path = printed.lines().rev().find(|line| line.starts_with('/'));
        Ok(path.map(|path| path.trim().to_owned()))
    }

    async fn guard(&self, node: &Node, order: Order) -> Result<(), ActionError> {
        output(&command::guard(node, order)).await.map(drop)
    }

    async fn guard_state(&self, node: &Node) -> Result<Answer, ActionError> {
        Ok(Answer::parse(&output(&command::guard_state(node)).await?)?)
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
    /// Waits for a program that the operator may interrupt.
    async fn wait(
        &self,
        child: &mut Child,
        line: &CommandLine,
        limit: Option<Duration>,
    ) -> Result<ExitStatus, ActionError> {
        let begun = Instant::now();
        loop {
            if let Ok(status) = timeout(Duration::from_millis(100), child.wait()).await {
                let status =
                    status.map_err(|source| ActionError::Unrunnable { program: line.program, source })?;
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

/// Lets a program end: by itself for as long as `patience`, then by an interrupt, then at once.
async fn end(child: &mut Child, patience: Duration) {
    if timeout(patience, child.wait()).await.is_ok() {
        return;
    }
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended just now.
        let _ = kill_process(pid, Signal::INT);
    }
    if timeout(INTERRUPT_GRACE, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

/// What a command prints. It has to succeed, and soon.
async fn output(line: &CommandLine) -> Result<String, ActionError> {
    let running =
        Command::new(line.program).args(&line.arguments).stdin(Stdio::null()).kill_on_drop(true).output();
    let output = timeout(COMMAND_LIMIT, running)
        .await
        .map_err(|_| ActionError::Late { command: line.to_string(), limit: COMMAND_LIMIT })?
        .map_err(|source| ActionError::Unrunnable { program: line.program, source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    // sshd(8) gives the status of the command, and a shell gives this one where there is no such command.
    if output.status.code() == Some(127) && line.arguments.iter().any(|argument| argument == "rk1-guard") {
        return Err(ActionError::NoGuard);
    }
    Err(failed(line, output.status, &String::from_utf8_lossy(&output.stderr)))
}

fn failed(line: &CommandLine, status: ExitStatus, said: &str) -> ActionError {
    let status = match status.code() {
        Some(code) => format!("ended with status {code}"),
        None => "was killed".to_owned(),
    };
    let said = said.trim();
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    ActionError::Failed { command: line.to_string(), status, said }
}
