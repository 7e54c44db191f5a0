use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};

use super::{Outcome, folder_of, read_cluster};
use crate::config::cluster::{Cluster, Label};
use crate::operate::status::screen::{screen, summary};
use crate::operate::status::{Access, Observation, Scope, Verdict, observe};

/// Say how the cluster is: its nodes, its sessions with the routers from both sides, the gateway and its certificate.
///
/// Asks the nodes and most routers over `ssh`, those of `MikroTik` over REST, Kubernetes by a kubeconfig, and Hubble's page
/// through the gateway. Exits with 0 if all is well, 1 if something is wrong, and 3 if that cannot be told.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Ask about these nodes and their sessions alone.
    #[arg(value_name = "NODE")]
    nodes: Vec<String>,
    /// Print what was found as JSON, with `--watch` an observation a line.
    #[arg(long)]
    json: bool,
    /// Ask again and again, this many seconds after the last answer.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "5", require_equals = true)]
    watch: Option<u64>,
    /// By what Kubernetes is reached. Left out: what KUBECONFIG says, else what a server has.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The longest that one answer may take.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
}

/// Puts the cursor into the upper left corner and clears what is below it (ECMA-48: CUP, ED).
const CLEAR: &str = "\x1b[H\x1b[J";

impl Status {
    pub(super) fn run(self, file: &Path) -> anyhow::Result<Outcome> {
        let cluster = read_cluster(file)?;
        let scope = scope(&cluster, &self.nodes)?;
        let access = Access {
            kubeconfig: self.kubeconfig,
            folder: folder_of(file).to_owned(),
            limit: Duration::from_secs(self.timeout),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot wait for answers")?;
        tell_of_waiting(true);
        let mut observation = runtime.block_on(observe(&cluster, &access, &scope));
        tell_of_waiting(false);
        let Some(pause) = self.watch else {
            let text =
                if self.json { format!("{:#}\n", as_json(&observation)) } else { screen(&observation) };
            show(&text)?;
            anstream::eprintln!("{}", summary(&observation));
            return Ok(outcome(&observation));
        };
        let mut front = if std::io::stdout().is_terminal() { CLEAR } else { "" };
        loop {
            if self.json {
                show(&format!("{}\n", as_json(&observation)))?;
            } else {
                show(&format!("{front}{}\n{}\n", screen(&observation), summary(&observation)))?;
            }
            if front.is_empty() {
                front = "\n";
            }
            observation = runtime.block_on(async {
                tokio::time::sleep(Duration::from_secs(pause)).await;
                observe(&cluster, &access, &scope).await
            });
        }
    }
}

fn scope(cluster: &Cluster, names: &[String]) -> anyhow::Result<Scope> {
    if names.is_empty() {
        return Ok(Scope::Cluster);
    }
    let nodes = names.iter().map(|name| Ok(cluster.node(name)?.name.clone()));
    nodes.collect::<anyhow::Result<Vec<Label>>>().map(Scope::Nodes)
}

fn outcome(observation: &Observation) -> Outcome {
    match observation.verdict() {
        Verdict::Good => Outcome::Done,
        Verdict::Wrong => Outcome::Mistakes,
        Verdict::Unknown => Outcome::Unknown,
    }
}

fn as_json(observation: &Observation) -> Value {
    let mut value = json!(observation);
    value["verdict"] = json!(observation.verdict());
    value
}

/// Writes data to standard output, without styles where they are not wanted.
fn show(text: &str) -> anyhow::Result<()> {
    let mut output = anstream::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()?;
    Ok(())
}

/// A line for who waits at a terminal, and its removal.
fn tell_of_waiting(is_waiting: bool) {
    if std::io::stderr().is_terminal() {
        let line = if is_waiting { "asking nodes, routers and Kubernetes …" } else { "\r\x1b[K" };
        // Who does not see it misses nothing.
        let _ = write!(std::io::stderr(), "{line}");
    }
}
