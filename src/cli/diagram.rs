use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::cluster_file::read_cluster;
use super::outcome::Outcome;
use super::output::print;
use crate::render::diagram::svg;

/// Draw the cluster's boards, nodes, addresses and BGP sessions as an SVG picture
#[derive(Debug, Args)]
pub(super) struct Diagram {
    /// File to write to [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Diagram {
    pub(super) fn run(self, file: &Path) -> anyhow::Result<Outcome> {
        let cluster = read_cluster(file)?;
        let picture = svg(&cluster)?;
        match self.out {
            None => print(&picture)?,
            Some(out) => {
                std::fs::write(&out, picture).with_context(|| format!("cannot write `{}`", out.display()))?;
            }
        }
        Ok(Outcome::Done)
    }
}
