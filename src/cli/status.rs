use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use clap_complete::engine::ArgValueCandidates;
use serde_json::{Value, json};

use super::cluster_file::{folder_of, read_cluster};
use super::completions::node_names;
use super::duration::duration;
use super::outcome::Outcome;
use super::output::{clear_screen, print, print_while_read, say};
use super::runtime::runtime;
use crate::config::cluster::{Cluster, Label};
use crate::operate::status::screen::{screen, summary};
use crate::operate::status::{Observation, ProbeOptions, Scope, Verdict, observe};

/// Check the running cluster: nodes, BGP sessions, gateway, certificate, streamers
///
/// Asks nodes and routers over ssh, RouterOS over REST, Kubernetes through a kubeconfig, and the Hubble UI through the
/// gateway. Changes nothing. Exits with 0 if all checks pass, 1 if one fails, and 3 if one could not be made.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Nodes to check, with their sessions [default: the whole cluster]
    #[arg(value_name = "NODE", add = ArgValueCandidates::new(node_names))]
    nodes: Vec<String>,
    /// Print the result as JSON, with --watch one result for each line
    #[arg(long)]
    json: bool,
    /// Ask again after each answer, with a pause of this length [default: 5s]
    #[arg(long, value_name = "DURATION", num_args = 0..=1, default_missing_value = "5s", require_equals = true,
          value_parser = duration(1..=86_400))]
    watch: Option<Duration>,
    /// Kubeconfig to use [default: $KUBECONFIG, else fetched from a server]
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Longest time to wait for one answer
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration(1..=600))]
    timeout: Duration,
}

impl Status {
    pub(super) fn run(self, file: &Path) -> anyhow::Result<Outcome> {
        let cluster = read_cluster(file)?;
        let scope = scope(&cluster, &self.nodes)?;
        let options = ProbeOptions {
            kubeconfig: self.kubeconfig,
            folder: folder_of(file).to_owned(),
            limit: self.timeout,
        };
        let runtime = runtime()?;
        tell_of_waiting(true);
        let mut observation = runtime.block_on(observe(&cluster, &options, &scope));
        tell_of_waiting(false);
        let Some(pause) = self.watch else {
            let text =
                if self.json { format!("{:#}\n", as_json(&observation)) } else { screen(&observation) };
            print(&text)?;
            say!("{}", summary(&observation));
            return Ok(outcome(&observation));
        };
        let is_terminal = std::io::stdout().is_terminal();
        let mut front = "";
        loop {
            if self.json {
                print_while_read(&format!("{}\n", as_json(&observation)))?;
            } else {
                if is_terminal {
                    clear_screen()?;
                }
                print_while_read(&format!("{front}{}\n{}\n", screen(&observation), summary(&observation)))?;
            }
            if !is_terminal {
                front = "\n";
            }
            observation = runtime.block_on(async {
                tokio::time::sleep(pause).await;
                observe(&cluster, &options, &scope).await
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
        Verdict::Wrong => Outcome::Failed,
        Verdict::Unknown => Outcome::Unknown,
    }
}

fn as_json(observation: &Observation) -> Value {
    let mut value = json!(observation);
    value["verdict"] = json!(observation.verdict());
    value
}

/// A line for who waits at a terminal, and its removal.
fn tell_of_waiting(is_waiting: bool) {
    if std::io::stderr().is_terminal() {
        let line = if is_waiting { "asking nodes, routers and Kubernetes …" } else { "\r\x1b[K" };
        // Who does not see it misses nothing.
        let _ = write!(std::io::stderr(), "{line}");
    }
}
