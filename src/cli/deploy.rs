mod secrets;

use std::cell::OnceCell;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::{ArgGroup, Args};
use clap_complete::engine::ArgValueCandidates;
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use super::cluster_file::{folder_of, read_cluster};
use super::completions::node_names;
use super::duration::duration;
use super::outcome::Outcome;
use super::output::{print, print_hint, print_mistake, say};
use super::question::yes_or_no;
use super::runtime::runtime;
use crate::config::cluster::{Cluster, Node, SecretName};
use crate::operate::deploy::{
    self, Drain, Event, Failure, Flake, NodeResult, NodeSecrets, Operator, Options, Plan, Reboot, Results,
    line, listing, revert, roll_back,
};
use crate::operate::status::ProbeOptions;

/// Switch nodes to the system that the flake describes
///
/// First every node is checked, and its system is built and copied. Then the first agent is switched, then the other agents
/// together, then the servers one by one, and last the server that founded the cluster. The guard of a node is armed before:
/// a node that does not pass the same checks as before within the limit rolls back by itself. The first failure ends the
/// deploy. Needs nixos-rebuild and ssh.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("evicts").args(["drain", "reboot"]).multiple(true))]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct Deploy {
    /// Nodes to switch [default: all nodes]
    #[arg(value_name = "NODE", add = ArgValueCandidates::new(node_names))]
    nodes: Vec<String>,
    /// Cordon each node, evict its pods within their disruption budgets, and uncordon it afterwards
    #[arg(long)]
    drain: bool,
    /// Boot each node into its new system instead of switching to it, and drain it before
    ///
    /// The node boots the previous system again unless it passes the same checks as before. Without this option, you are asked
    /// where only a reboot makes the new system effective; without a terminal, a new kernel waits for the next boot.
    #[arg(long)]
    reboot: bool,
    /// Longest time to wait until pods have ended
    #[arg(long, value_name = "DURATION", default_value = "5m", requires = "evicts", value_parser = duration(0..=86_400))]
    drain_limit: Duration,
    /// Also evict pods with an emptyDir volume, whose data is lost
    #[arg(long, requires = "evicts")]
    delete_emptydir_data: bool,
    /// Time that a node has to pass the same checks as before, until it rolls back [default: 5m, with a reboot 15m]
    #[arg(long, value_name = "DURATION", value_parser = duration(1..=86_400))]
    limit: Option<Duration>,
    /// Deploy even if the checks before it fail
    #[arg(long)]
    anyway: bool,
    /// Leave the nodes' secrets as they are
    ///
    /// Without this option, the secrets that another system issues, such as tokens and passwords, are compared with those of
    /// each node by a hash, and sent if they differ.
    #[arg(long)]
    no_secrets: bool,
    /// How many agents are switched at the same time, after the first [default: 4, with --drain or --reboot 1]
    #[arg(long, value_name = "COUNT")]
    at_once: Option<NonZeroUsize>,
    /// Print each step without doing it
    #[arg(long)]
    dry_run: bool,
    /// Print events as JSON, one for each line
    #[arg(long)]
    json: bool,
    /// Flake that describes the hosts [default: the folder of cluster.toml]
    #[arg(long, value_name = "FLAKE")]
    flake: Option<String>,
    /// Kubeconfig to use [default: $KUBECONFIG, else fetched from a server]
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Further arguments for nixos-rebuild, such as --build-host root@builder
    #[arg(last = true, value_name = "ARGUMENT")]
    further_arguments: Vec<String>,
}

/// Drained nodes leave their pods to the others, so only one is drained at a time.
const AT_ONCE: NonZeroUsize = NonZeroUsize::new(4).unwrap();
const LIMIT: Duration = Duration::from_mins(5);
/// A module boots in one to three minutes; k3s and the BGP sessions come afterwards.
const REBOOT_LIMIT: Duration = Duration::from_mins(15);

/// The longest that one check may take.
const PROBE_LIMIT: Duration = Duration::from_secs(10);

impl Deploy {
    pub(super) fn run(self, file: &Path) -> anyhow::Result<Outcome> {
        let cluster = read_cluster(file)?;
        let mut plan = Plan::new(&cluster, &self.nodes, self.options())?;
        if !self.no_secrets {
            plan.secrets = secrets::named(&cluster, &plan.nodes);
        }
        let flake = Flake {
            reference: self.flake.clone().unwrap_or_else(|| reference(folder_of(file))),
            further_arguments: self.further_arguments.clone(),
        };
        if self.dry_run {
            print(&listing(&plan, &flake))?;
            return Ok(Outcome::Done);
        }
        let (secrets, unread) = secrets::read(&cluster, &plan.secrets, folder_of(file));
        plan.secrets.retain(|node, _| secrets.0.contains_key(node));
        plan.secrets.values_mut().for_each(|names| names.retain(|name| !unread.contains(name)));
        if !unread.is_empty() {
            let names = unread.iter().map(SecretName::as_str).collect::<Vec<_>>().join(", ");
            say!("secrets that cannot be read are not compared: {names}; `rk1 secrets` says why");
        }
        let report = self.deploy(&cluster, &plan, &flake, secrets, folder_of(file))?;
        self.show(&plan, &report)?;
        Ok(if report.is_cancelled() {
            Outcome::Interrupted
        } else if report.succeeded() {
            Outcome::Done
        } else {
            Outcome::Failed
        })
    }

    fn options(&self) -> Options {
        let drain = Drain { limit: self.drain_limit, delete_empty_dirs: self.delete_emptydir_data };
        Options {
            drains: self.drain,
            drain,
            reboot: if self.reboot { Reboot::Always } else { Reboot::Ask },
            limit: self.limit.unwrap_or(LIMIT),
            reboot_limit: self.limit.unwrap_or(REBOOT_LIMIT),
            anyway: self.anyway,
            at_once: self.at_once.unwrap_or(if self.drain || self.reboot {
                NonZeroUsize::MIN
            } else {
                AT_ONCE
            }),
        }
    }

    fn deploy(
        &self,
        cluster: &Cluster,
        plan: &Plan<'_>,
        flake: &Flake,
        secrets: NodeSecrets,
        folder: &Path,
    ) -> anyhow::Result<Results> {
        let probe_options = ProbeOptions {
            kubeconfig: self.kubeconfig.clone(),
            folder: folder.to_owned(),
            limit: PROBE_LIMIT,
        };
        let is_cancelled = Arc::new(AtomicBool::new(false));
        let ask = if self.json { |_: &str| false } else { ask };
        let operator = Operator::new(
            cluster,
            probe_options,
            flake.clone(),
            plan.options.limit,
            is_cancelled.clone(),
            |line| {
                say!("{line}");
            },
            ask,
        )
        .with_secrets(secrets);
        let runtime = runtime()?;
        let broken = OnceCell::new();
        let tell = |node: &Node, event: &Event| {
            if !self.json {
                for line in words(plan, flake, node, event) {
                    say!("{line}");
                }
            } else if let Err(error) = print(&format!("{}\n", record(node, event))) {
                let _ = broken.set(error);
            }
        };
        let report = runtime.block_on(async {
            tokio::spawn(cancel(is_cancelled));
            deploy::run(plan, &operator, &tell).await
        });
        match broken.into_inner() {
            Some(error) => Err(error),
            None => Ok(report),
        }
    }

    /// Prints the result of each node on standard output; the reasons, and how to roll back, on standard error.
    fn show(&self, plan: &Plan<'_>, report: &Results) -> anyhow::Result<()> {
        for (node, result) in &report.0 {
            if self.json {
                let mut record = json!(result);
                record["node"] = json!(node);
                print(&format!("{record}\n"))?;
            } else {
                print(&format!("{node}  {}\n", result.words()))?;
            }
        }
        for (name, result) in &report.0 {
            let Some(failure) = result.failure() else { continue };
            print_mistake(format!("{name}: {}", sentence(failure)), failure.hint());
            if let NodeResult::Lost { .. } = result {
                print_hint("reach its console through the board controller: docs/recovery.md");
            }
        }
        if !report.succeeded() {
            for (name, _) in
                report.0.iter().filter(|(_, result)| matches!(result, NodeResult::Deployed { .. }))
            {
                if let Some(node) = plan.nodes.iter().find(|node| &node.name == name) {
                    say!("to roll back {name}: {}", roll_back(node));
                }
            }
        }
        Ok(())
    }
}

/// Returns the failure with the causes behind it.
fn sentence(failure: &Failure) -> String {
    let mut sentence = failure.to_string();
    let mut source = std::error::Error::source(failure);
    while let Some(cause) = source {
        sentence.push_str(": ");
        sentence.push_str(&cause.to_string());
        source = cause.source();
    }
    sentence
}

/// Asks on the terminal. The answer is no where there is none.
fn ask(question: &str) -> bool {
    yes_or_no(&format!("{question} Reboot the node now?")).unwrap_or_default()
}

/// Returns a folder as a flake reference: Nix would look up a bare `clusters` in a registry.
fn reference(folder: &Path) -> String {
    match folder.to_string_lossy() {
        folder if folder.is_empty() => ".".to_owned(),
        folder if folder.starts_with(['/', '.']) => folder.into_owned(),
        folder => format!("./{folder}"),
    }
}

/// The first interrupt rolls back and ends the deploy, the second ends it at once.
async fn cancel(is_cancelled: Arc<AtomicBool>) {
    let Ok(mut interrupts) = signal(SignalKind::interrupt()) else { return };
    interrupts.recv().await;
    is_cancelled.store(true, Ordering::Relaxed);
    say!("cancelling: a node under way is rolled back first; press Ctrl-C again to end at once");
    interrupts.recv().await;
    say!("ended: a node whose guard is armed rolls back by itself, see `rk1-guard state` there");
    std::process::exit(Outcome::Interrupted.code().into());
}

fn words(plan: &Plan<'_>, flake: &Flake, node: &Node, event: &Event) -> Vec<String> {
    let said = |word: &str, what: &str| format!("{}  {word:<8}  {what}", node.name);
    match event {
        Event::Begun(step) => vec![line(plan, flake, node, *step)],
        Event::Unknown(check) => vec![said("unknown", &check.to_string())],
        Event::Replaced(names) => vec![said("replaced", &names.join(", "))],
        Event::NoSecretsProgram => {
            vec![said("later", "the node has no `rk1-secrets` yet: deploy again once it has the new system")]
        }
        Event::FailedCheck(check) => vec![said("failed", &check.to_string())],
        Event::WaitsForReboot(reasons) => {
            vec![said("later", &format!("a reboot makes effective: {reasons}; `--reboot` does it at once"))]
        }
        Event::Waiting(missing) if missing.is_empty() => vec![said("waiting", "the node does not answer")],
        Event::Waiting(missing) => missing.iter().map(|check| said("waiting", &check.to_string())).collect(),
        Event::RollingBack => vec![said("rollback", &revert(node).to_string())],
        Event::LeftToGuard => vec![said("waiting", "the node does not answer: its guard rolls back")],
    }
}

fn record(node: &Node, event: &Event) -> Value {
    let mut record = json!(event);
    record["node"] = json!(node.name);
    record
}
