use std::path::Path;

use clap::Args;

use super::{Outcome, examine, print, read_source};
use crate::config::diagnostics::json::json;
use crate::config::diagnostics::report::report;
use crate::config::diagnostics::{Problems, Severity};

/// Say everything that is wrong with the cluster's file.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// Print the problems as JSON on standard output.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(self, file: &Path) -> anyhow::Result<Outcome> {
        let source = read_source(file)?;
        let mut problems = Problems::default();
        let examined = examine(&source, file, &mut problems)?;
        if self.json {
            print(&format!("{:#}\n", json(&source, &problems)))?;
        } else if !problems.is_empty() {
            anstream::eprint!("{}", report(&source, &problems));
        }
        let Some((cluster, _)) = examined else { return Ok(Outcome::Mistakes) };
        if problems.count(Severity::Error) == 0 && !self.json {
            anstream::eprintln!("{}: {} nodes, no mistakes", source.name, cluster.nodes.len());
        }
        Ok(Outcome::Done)
    }
}
