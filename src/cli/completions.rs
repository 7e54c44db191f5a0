use std::env;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};
use clap_complete::engine::CompletionCandidate;
use clap_complete::env::Shells;

use super::cluster_file::{locate, read_source};
use super::outcome::Outcome;
use super::output::print;
use crate::config::cluster::Cluster;
use crate::config::diagnostics::Problems;

/// Print the completions for a shell
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// Shell to print the completions for
    shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

impl Completions {
    /// Prints a script that asks `rk1` itself for the words: only so can names of nodes be among them.
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let name =
            self.shell.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let shells = Shells::builtins();
        let shell = shells.completer(&name).with_context(|| format!("no completions for `{name}`"))?;
        let mut script = Vec::new();
        shell.write_registration("COMPLETE", "rk1", "rk1", "rk1", &mut script)?;
        print(&String::from_utf8(script)?)?;
        Ok(Outcome::Done)
    }
}

/// Returns the names of the nodes in cluster.toml; none while it has mistakes.
pub(super) fn node_names() -> Vec<CompletionCandidate> {
    let file = locate(env::var_os("RK1_FILE").map(PathBuf::from));
    let Ok(source) = read_source(&file) else { return Vec::new() };
    let cluster = Cluster::parse(&source, &mut Problems::default());
    let nodes = cluster.map(|cluster| cluster.nodes).unwrap_or_default();
    nodes.iter().map(|node| CompletionCandidate::new(node.name.as_str())).collect()
}
